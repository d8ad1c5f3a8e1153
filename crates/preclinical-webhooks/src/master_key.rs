//! The key that secrets in the database are sealed with: given, or in a file.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use preclinical_core::vault::MasterKey;
use tempfile::NamedTempFile;

use crate::system::SystemChance;

/// Where the key comes from.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    /// It is a setting.
    Given(MasterKey),
    /// It is in this file.
    File(PathBuf),
    /// It is in a file beside the database.
    Beside,
}

/// A key, and the file that was made for it just now.
pub(crate) struct Loaded {
    pub(crate) key: MasterKey,
    pub(crate) created: Option<PathBuf>,
}

/// Reads the key; makes one, in a file that only its owner can read, if the file is missing.
/// Beside a database that is no file there is no place for one.
pub(crate) fn load(source: &KeySource, database: Option<&Path>) -> anyhow::Result<Loaded> {
    let path = match (source, database) {
        (KeySource::Given(key), _) => return Ok(Loaded { key: key.clone(), created: None }),
        (KeySource::File(path), _) => path.clone(),
        (KeySource::Beside, Some(database)) => beside(database),
        (KeySource::Beside, None) => bail!(
            "PRECLINICAL_MASTER_KEY or PRECLINICAL_MASTER_KEY_FILE must be set: all nodes on one database need the same key"
        ),
    };
    match read(&path) {
        Err(error) if is_missing(&error) => create(&path),
        read => Ok(Loaded { key: read?, created: None }),
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    path.into()
}

fn read(path: &Path) -> anyhow::Result<MasterKey> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the master key {}", path.display()))?;
    text.parse().with_context(|| format!("the master key in {}", path.display()))
}

fn is_missing(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The file appears as a whole or not at all. If another process is faster, its key is taken.
fn create(path: &Path) -> anyhow::Result<Loaded> {
    let failed = || format!("cannot create the master key {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let key = MasterKey::generate(&SystemChance);
    let mut file = NamedTempFile::new_in(folder).with_context(failed)?;
    writeln!(file, "{}", *key.to_base64()).and_then(|()| file.as_file().sync_all()).with_context(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(Loaded { key, created: Some(path.to_owned()) }),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(Loaded { key: read(path)?, created: None }),
        Err(error) => Err(error.error).with_context(failed),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_missing_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("w.db");
        let first = load(&KeySource::Beside, Some(&database)).unwrap();
        let path = first.created.unwrap();
        assert_eq!(path, folder.path().join("w.db.key"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = load(&KeySource::File(path), Some(&database)).unwrap();
        assert_eq!((again.key.to_base64(), again.created), (first.key.to_base64(), None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn a_file_that_holds_no_key_is_an_error_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "canary").unwrap();
        let error = format!("{:#}", load(&KeySource::File(path.clone()), None).err().unwrap());
        assert!(error.contains("must be the base64 of 32 bytes") && !error.contains("canary"), "{error}");
        assert_eq!(fs::read_to_string(path).unwrap(), "canary");
    }
}
