//! What is worked out from texts that come again and again: the URLs of webhooks.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Texts that are known at most; beyond it everything is worked out anew.
const MOST: usize = 1024;

/// What was worked out from each text. It must not depend on anything else.
pub(crate) struct Memo<V>(Mutex<HashMap<Box<str>, V>>);

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V: Clone> Memo<V> {
    /// What `work` makes of the text, or has made of it. An error is not kept.
    pub(crate) fn get<E>(&self, text: &str, work: impl FnOnce(&str) -> Result<V, E>) -> Result<V, E> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known().get(text) {
            return Ok(value.clone());
        }
        let value = work(text)?;
        let mut known = known();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(text.into(), value.clone());
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_worked_out_once_errors_are_not_kept_and_there_is_an_end_to_it() {
        let memo = Memo::default();
        assert_eq!(memo.get("a", |_| Err("not yet")), Err("not yet"));
        assert_eq!(memo.get("a", |text| Ok::<_, &str>(text.len())), Ok(1));
        assert_eq!(memo.get("a", |_| Err("again")), Ok(1));
        for number in 0..MOST {
            assert_eq!(memo.get(&format!("b{number}"), |_| Ok::<_, &str>(number)), Ok(number));
        }
        assert!(memo.0.lock().unwrap().len() <= MOST);
        assert_eq!(memo.get("a", |_| Err("anew")), Err("anew"));
    }
}
