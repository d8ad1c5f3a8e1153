//! What PostgreSQL could not do.

use preclinical_core::port::StoreError;
use tokio_postgres::error::{DbError, SqlState};

/// Why a statement gave no answer. What it says of it names tables, columns and constraints, never values.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server refused it, or could not be reached.
    Refused(tokio_postgres::Error),
    /// A row holds something that this program did not write.
    Unreadable(String),
    /// There was no connection for it.
    NoConnection(String),
    /// It took too long, or its connection did.
    TooSlow,
    /// It was to be kept although a statement before it had failed.
    Undone,
}

impl Failure {
    /// A column of a row does not hold what it should.
    pub(crate) fn unreadable(column: &str) -> Self {
        Self::Unreadable(format!("column {column}"))
    }

    /// A value could not be read out of a row.
    #[allow(clippy::needless_pass_by_value, reason = "fits map_err")]
    pub(crate) fn from_row(error: tokio_postgres::Error) -> Self {
        Self::Unreadable(error.to_string())
    }

    /// Whether an insert was refused because such a row exists.
    pub(crate) fn is_taken(&self) -> bool {
        self.state() == Some(&SqlState::UNIQUE_VIOLATION)
    }

    /// Whether an insert was refused because a row that it refers to does not exist.
    pub(crate) fn is_orphan(&self) -> bool {
        self.state() == Some(&SqlState::FOREIGN_KEY_VIOLATION)
    }

    /// Whether the transaction lost against another one and would succeed if it were made again.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.state(), Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE))
    }

    /// Whether it says something of the database, and not only of what was asked.
    pub(crate) fn is_trouble(&self) -> bool {
        let code = self.state().map(SqlState::code).unwrap_or_default();
        !(code.starts_with("22") || code.starts_with("23") || self.is_passing() || matches!(self, Self::Unreadable(_)))
    }

    /// Whether something stood in the way of a change to the schema that may succeed later, or that another node made first.
    pub(crate) fn is_in_the_way(&self) -> bool {
        matches!(
            self.state(),
            Some(
                &SqlState::LOCK_NOT_AVAILABLE
                    | &SqlState::CHECK_VIOLATION
                    | &SqlState::DUPLICATE_TABLE
                    | &SqlState::UNIQUE_VIOLATION
                    | &SqlState::INVALID_OBJECT_DEFINITION
                    | &SqlState::UNDEFINED_TABLE
                    | &SqlState::QUERY_CANCELED
                    | &SqlState::T_R_DEADLOCK_DETECTED
            )
        )
    }

    fn state(&self) -> Option<&SqlState> {
        match self {
            Self::Refused(error) => error.code(),
            Self::Unreadable(_) | Self::NoConnection(_) | Self::TooSlow | Self::Undone => None,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Refused(error)
    }
}

/// What PostgreSQL could not do, for whoever uses the store.
#[allow(clippy::needless_pass_by_value, reason = "fits map_err")]
pub(crate) fn unavailable(failure: Failure) -> StoreError {
    match failure {
        Failure::Refused(error) => match error.as_db_error() {
            Some(refusal) if is_about_a_value(refusal) => StoreError::Corrupt(in_words(refusal)),
            Some(refusal) => StoreError::Unavailable(in_words(refusal)),
            None => StoreError::Unavailable(format!("the connection to PostgreSQL failed: {}", with_causes(&error))),
        },
        Failure::Unreadable(what) => StoreError::Corrupt(what),
        Failure::NoConnection(why) => StoreError::Unavailable(format!("no connection to PostgreSQL: {why}")),
        Failure::Undone => StoreError::Unavailable("a statement had failed, so nothing was kept".to_owned()),
        Failure::TooSlow => StoreError::Unavailable("PostgreSQL did not answer in time".to_owned()),
    }
}

/// An error of the driver and all that led to it; none of them holds more of the address than a host.
fn with_causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whether it would be refused again.
fn is_about_a_value(refusal: &DbError) -> bool {
    let code = refusal.code().code();
    code.starts_with("22") || code.starts_with("23")
}

/// What the server says itself, unless it complains of a value: that sentence would quote it.
fn in_words(refusal: &DbError) -> String {
    let code = refusal.code().code();
    match (is_about_a_value(refusal), refusal.constraint()) {
        (false, _) => format!("PostgreSQL: {} ({code})", refusal.message()),
        (true, Some(constraint)) => format!("PostgreSQL refused a value ({code}, {constraint})"),
        (true, None) => format!("PostgreSQL refused a value ({code})"),
    }
}
