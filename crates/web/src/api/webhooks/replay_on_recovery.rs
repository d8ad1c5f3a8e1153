use preclinical_core::replay_on_recovery::{MAX_REPLAYS, ReplayOnRecovery};

use crate::{error::ApiError, input::Fields, openapi::Field};

/// What a body says of what is replayed by itself.
pub(crate) fn replay_on_recovery(body: &mut Fields) -> Result<Option<ReplayOnRecovery>, ApiError> {
    body.choice("replay_on_recovery", "one of off, all, newest_per_agent", ReplayOnRecovery::parse)
}

pub(super) fn field() -> Field {
    Field::choice::<ReplayOnRecovery>().says(&format!(
        "What of that which it missed is replayed by itself once its receiver takes something again: nothing, everything, or of each \
         agent's runs the newest alone. What fails for good again and again is replayed so {MAX_REPLAYS} times.",
    ))
}
