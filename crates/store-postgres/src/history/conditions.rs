//! Conditions on rows, with the values of their parameters.

use preclinical_core::id::OrganizationId;

use crate::row::{Id, Param};

/// What must hold for a row of the organization. PostgreSQL chooses the index itself, from what it knows of the rows.
pub(crate) struct Conditions {
    sql: String,
    parameters: Vec<Box<dyn Param + Send>>,
}

impl Conditions {
    pub(crate) fn of(organization: OrganizationId) -> Self {
        let mut conditions = Self { sql: String::new(), parameters: Vec::new() };
        conditions.sql = format!("organization_id = {}", conditions.bind(Id(organization)));
        conditions
    }

    /// Adds a comparison if there is a value to compare with.
    pub(crate) fn and(&mut self, comparison: &str, value: Option<impl Param + Send + 'static>) {
        if let Some(value) = value {
            let value = self.bind(value);
            self.and_also(&format!("{comparison} {value}"));
        }
    }

    /// Adds a condition on values that are bound already.
    pub(crate) fn and_also(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    /// Binds a value; answers what names it in the statement.
    pub(crate) fn bind(&mut self, value: impl Param + Send + 'static) -> String {
        self.parameters.push(Box::new(value));
        format!("${}", self.parameters.len())
    }

    pub(crate) fn sql(&self) -> &str {
        &self.sql
    }

    pub(crate) fn parameters(&self) -> Vec<&dyn Param> {
        self.parameters.iter().map(|value| &**value as &dyn Param).collect()
    }
}
