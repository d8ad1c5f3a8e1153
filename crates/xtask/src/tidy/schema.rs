//! Both stores have the same steps of the schema, and each step rows of its own by which it is proved that what is pending is carried
//! on.

use super::File;

const STORES: [&str; 2] = ["crates/store-postgres", "crates/store-sqlite"];

pub(super) fn check(files: &[File]) -> Vec<String> {
    let [shared, embedded] = STORES.map(|store| steps(files, store));
    let mut broken = Vec::new();
    for (store, own, others) in [(STORES[0], &shared, &embedded), (STORES[1], &embedded, &shared)] {
        for (index, step) in own.iter().enumerate() {
            let number = format!("{:04}", index + 1);
            let mut note = |what: &str| broken.push(format!("{store}/migrations/{step}: {what}"));
            if !others.contains(step) {
                note("the other store has no such step");
            }
            if !step.starts_with(&format!("{number}_")) {
                note(&format!("it is step {number}"));
            }
            if !text(files, &format!("{store}/src/migrations.rs")).is_some_and(|text| text.contains(step)) {
                note("it is never taken");
            }
            if text(files, &format!("{store}/tests/versions/{number}.sql")).is_none() {
                note("a database of this step is missing in tests/versions");
            }
        }
    }
    broken
}

/// The names of a store's steps, in their order.
fn steps<'a>(files: &'a [File], store: &str) -> Vec<&'a str> {
    let folder = format!("{store}/migrations/");
    let mut steps: Vec<&str> = files.iter().filter_map(|file| file.path.strip_prefix(&folder)).collect();
    steps.sort_unstable();
    steps
}

fn text<'a>(files: &'a [File], path: &str) -> Option<&'a str> {
    files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(files: &[(&str, &str)]) -> usize {
        let file = |(path, text): &(&str, &str)| File { path: format!("crates/{path}"), text: (*text).to_owned() };
        check(&files.iter().map(file).collect::<Vec<_>>()).len()
    }

    #[test]
    fn steps_that_differ_are_not_taken_or_have_no_rows_are_found() {
        let both = [
            ("store-postgres/migrations/0001_a.sql", ""),
            ("store-sqlite/migrations/0001_a.sql", ""),
            ("store-postgres/src/migrations.rs", "0001_a.sql"),
            ("store-sqlite/src/migrations.rs", "0001_a.sql"),
            ("store-postgres/tests/versions/0001.sql", ""),
            ("store-sqlite/tests/versions/0001.sql", ""),
        ];
        assert_eq!(broken(&both), 0);
        assert_eq!(broken(&both[..5]), 1, "no rows");
        assert_eq!(broken(&[&both[..3], &both[4..]].concat()), 1, "never taken");
        let lone = [("store-sqlite/migrations/0003_b.sql", "")];
        assert_eq!(broken(&[&both[..], &lone].concat()), 4, "alone, misnumbered, never taken, without rows");
    }
}
