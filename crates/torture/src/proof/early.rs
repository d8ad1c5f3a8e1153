//! The control of all proofs: something that lies must be found out.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Load, Scene, in_time};
use crate::{
    api::Api,
    outcome::Outcome,
    sink::Manner,
    site::{Ground, Site},
};

/// How long a completion is on its way after it was acknowledged.
const DELAY: Duration = Duration::from_millis(50);

/// Completes runs through somebody who acknowledges each one before it hands it to the node, and kills the node meanwhile.
///
/// What comes of it must not hold.
pub async fn acknowledged_early(ground: &Ground, load: Load) -> anyhow::Result<Outcome> {
    let site = Site::create(ground, &[]).await?;
    let (scene, node) = Scene::open(ground, site, Manner::Good, load).await?;
    let liar = Liar::start(scene.api.clone(), node.url.clone()).await?;
    scene.producer.ask([liar.url.as_str()]);
    in_time("completions", scene.producer.until_accepted(load.completions / 2)).await?;
    node.kill().await?;
    in_time("completions", scene.producer.until_done()).await?;
    let node = scene.site.start().await?;
    let mut outcome = scene.close(&node, "acknowledged early", "1 × SIGKILL behind a liar".to_owned()).await?;
    // Nobody is going to look for what went wrong.
    outcome.files.take().map_or(Ok(()), std::fs::remove_dir_all)?;
    Ok(outcome)
}

/// Answers 200 to everything, and passes it on a moment later, once.
struct Liar {
    url: String,
    task: JoinHandle<()>,
}

impl Liar {
    async fn start(api: Api, node: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let to = Arc::new((api, node));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let to = Arc::clone(&to);
                let service = service_fn(move |request| lie(Arc::clone(&to), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { url, task })
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn lie(to: Arc<(Api, String)>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let _ = body.collect().await;
    tokio::spawn(async move {
        tokio::time::sleep(DELAY).await;
        let path = head.uri.path().trim_start_matches("/api/v1");
        let _ = to.0.call(&to.1, head.method, path, Some(&Value::Object(serde_json::Map::default()))).await;
    });
    Ok(Response::new(Full::from("{}")))
}
