//! Which tool wrote a file.

use anyhow::bail;
use clap::ValueEnum;
use serde_json::Value;

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// JUnit XML
    Junit,
    /// Common Test Report Format
    Ctrf,
    /// promptfoo's results
    Promptfoo,
    /// Preclinical's own JSON
    Preclinical,
}

impl Format {
    /// The format, from what the file holds; names of files say nothing.
    pub(super) fn detect(text: &str) -> anyhow::Result<Self> {
        match text.trim_start().bytes().next() {
            None => bail!("is empty"),
            Some(b'<') => return Ok(Self::Junit),
            Some(b'{') => {}
            Some(_) => bail!("line 1: neither XML nor a JSON object"),
        }
        let value: Value = super::from_json(text)?;
        let results = &value["results"];
        if value["reportFormat"] == "CTRF" || results["tests"].is_array() {
            Ok(Self::Ctrf)
        } else if results["results"].is_array() {
            Ok(Self::Promptfoo)
        } else if results.is_array() {
            Ok(Self::Preclinical)
        } else {
            bail!("is JSON of no known format: it has no list at results, results.tests or results.results")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_contents() {
        let detect = |text| Format::detect(text).ok();
        assert_eq!(detect("\n<testsuite/>"), Some(Format::Junit));
        assert_eq!(detect(r#"{"reportFormat":"CTRF","results":{}}"#), Some(Format::Ctrf));
        assert_eq!(detect(r#"{"results":{"tests":[]}}"#), Some(Format::Ctrf));
        assert_eq!(detect(r#"{"results":{"results":[]}}"#), Some(Format::Promptfoo));
        assert_eq!(detect(r#"{"results":[]}"#), Some(Format::Preclinical));
        for wrong in ["", " ", "hello", "[]", "{}", r#"{"results":1}"#] {
            assert_eq!(detect(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn broken_json_names_its_line() {
        let error = Format::detect("{\n \"results\": [\n  oops]}").unwrap_err().to_string();
        assert!(error.starts_with("line 3, column "), "{error}");
    }
}
