//! The store's file, looked at and damaged behind the server's back.

use std::path::PathBuf;

use rusqlite::{Connection, types::Value};

/// The store's file.
pub(crate) struct Database(PathBuf);

impl Database {
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    fn connect(&self) -> Connection {
        let connection = Connection::open(&self.0).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        connection
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Every row of every table: what must not change when a request is refused. When keys were last used is no part of it.
    pub(crate) fn rows(&self) -> Vec<(String, Vec<Value>)> {
        let connection = self.connect();
        let mut rows = Vec::new();
        for table in Self::tables(&connection) {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = statement.column_names().enumerate().filter(|(_, name)| *name != "last_used_at");
            let columns: Vec<usize> = columns.map(|(index, _)| index).collect();
            let read = statement.query_map([], |row| columns.iter().map(|column| row.get(*column)).collect()).unwrap();
            rows.extend(read.map(|row| (table.clone(), row.unwrap())));
        }
        rows
    }

    /// Makes every statement on the tables fail whose names are chosen.
    pub(crate) fn hide(&self, chosen: impl Fn(&str) -> bool) {
        let connection = self.connect();
        for table in Self::tables(&connection).iter().filter(|table| chosen(table)) {
            connection.execute_batch(&format!("ALTER TABLE {table} RENAME TO hidden_{table}")).unwrap();
        }
    }

    /// Undoes [`Self::hide`].
    pub(crate) fn restore(&self) {
        let connection = self.connect();
        for hidden in Self::tables(&connection) {
            if let Some(table) = hidden.strip_prefix("hidden_") {
                connection.execute_batch(&format!("ALTER TABLE {hidden} RENAME TO {table}")).unwrap();
            }
        }
    }

    /// Changes rows as no program of ours would.
    pub(crate) fn damage(&self, sql: &str) {
        assert!(self.connect().execute(sql, []).unwrap() > 0, "{sql}");
    }
}
