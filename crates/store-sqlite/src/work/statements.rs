//! Statements that are prepared once for as long as the writer lives. To look one up by its text and to put it back takes a good part of
//! the time that it takes to carry it out; these are known by where their text lies.

use std::{
    cell::RefCell,
    ops::{Deref, DerefMut},
};

use rusqlite::{Connection, Statement};

/// Those that nobody uses at the moment: as many as there are such texts in the program.
#[derive(Default)]
pub(super) struct Statements<'c>(RefCell<Vec<(&'static str, Statement<'c>)>>);

/// One of them, until it is dropped.
pub(crate) struct Prepared<'w, 'c> {
    sql: &'static str,
    statement: Option<Statement<'c>>,
    home: &'w Statements<'c>,
}

impl<'c> Statements<'c> {
    pub(super) fn get(&self, connection: &'c Connection, sql: &'static str) -> rusqlite::Result<Prepared<'_, 'c>> {
        let mut idle = self.0.borrow_mut();
        let found = idle.iter().position(|(known, _)| std::ptr::eq(*known, sql));
        let statement = match found {
            Some(index) => idle.swap_remove(index).1,
            None => connection.prepare(sql)?,
        };
        Ok(Prepared { sql, statement: Some(statement), home: self })
    }
}

impl<'c> Deref for Prepared<'_, 'c> {
    type Target = Statement<'c>;

    #[expect(clippy::expect_used, reason = "it is taken when this is dropped")]
    fn deref(&self) -> &Statement<'c> {
        self.statement.as_ref().expect("not dropped")
    }
}

impl<'c> DerefMut for Prepared<'_, 'c> {
    #[expect(clippy::expect_used, reason = "it is taken when this is dropped")]
    fn deref_mut(&mut self) -> &mut Statement<'c> {
        self.statement.as_mut().expect("not dropped")
    }
}

impl Drop for Prepared<'_, '_> {
    fn drop(&mut self) {
        let idle = self.home.0.try_borrow_mut();
        if let (Some(statement), Ok(mut idle)) = (self.statement.take(), idle) {
            idle.push((self.sql, statement));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_prepared_once_and_one_that_is_in_use_is_not_used_by_another() {
        const SQL: &str = "SELECT ?1";
        let connection = Connection::open_in_memory().unwrap();
        let statements = Statements::default();
        let get = || statements.get(&connection, SQL).unwrap();
        let known = || statements.0.borrow().len();
        let (mut one, mut other) = (get(), get());
        let answers = |statement: &mut Statement<'_>, value: i64| statement.query_row([value], |row| row.get(0));
        assert_eq!((answers(&mut one, 1), answers(&mut other, 2)), (Ok(1), Ok(2)));
        drop((one, other));
        assert_eq!(known(), 2);
        assert_eq!(answers(&mut get(), 3), Ok(3));
        assert_eq!(known(), 2);
    }
}
