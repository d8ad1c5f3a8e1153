//! What pages look like and do: one style sheet, one script, one icon, inside of the binary. Their addresses hold a hash of their
//! contents, so browsers may keep them for ever.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

/// What an answer says whose contents never change: a year is as long as HTTP has.
pub(crate) const KEPT_FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file of the pages.
pub(super) struct Asset {
    content: &'static str,
    kind: &'static str,
    /// Its name with the hash in it.
    name: String,
}

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let content = concat!(
        include_str!("assets/tokens.css"),
        include_str!("assets/base.css"),
        include_str!("assets/layout.css"),
        include_str!("assets/components.css"),
        include_str!("assets/runs.css"),
        include_str!("assets/deliveries.css"),
        include_str!("assets/settings.css")
    );
    Asset::new("app", "css", "text/css; charset=utf-8", content)
});
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("app", "js", "text/javascript; charset=utf-8", include_str!("assets/app.js")));
pub(super) static MARK: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("mark", "svg", "image/svg+xml", include_str!("assets/mark.svg")));

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, content: &'static str) -> Self {
        let digest = Sha256::digest(content);
        let hash = digest.iter().take(6).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
        Self { content, kind, name: format!("{stem}-{hash:012x}.{ending}") }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> String {
        format!("/assets/{}", self.name)
    }
}

/// `GET /assets/{name}`
pub(super) async fn get(Path(name): Path<String>) -> Response {
    let Some(asset) = [&*STYLE, &*SCRIPT, &*MARK].into_iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, KEPT_FOR_EVER)];
    (headers, asset.content).into_response()
}
