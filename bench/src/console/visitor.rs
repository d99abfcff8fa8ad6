//! Somebody who is signed in and asks for pages, as a browser does, over one connection.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT_ENCODING, COOKIE, HOST, LOCATION, SET_COOKIE};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::Instant;

/// A page as it came.
pub(super) struct Page {
    pub(super) text: String,
    /// Bytes of the same answer when the visitor takes compressed ones.
    pub(super) compressed: usize,
    /// From the request for the compressed answer to its last byte.
    pub(super) took: Duration,
}

pub(super) struct Visitor {
    host: String,
    cookie: String,
    sender: SendRequest<Empty<Bytes>>,
}

#[derive(Deserialize)]
struct Link {
    url: String,
}

impl Visitor {
    /// Signs in by a link for the owner.
    pub(super) async fn sign_in(address: SocketAddr, program: &Path, data: &Path) -> Result<Self> {
        let made = Command::new(program)
            .args(["owner", "link", "-o", "json", "--data"])
            .arg(data)
            .kill_on_drop(true)
            .output()
            .await?;
        ensure!(
            made.status.success(),
            "portreeve owner link failed: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let link: Link =
            serde_json::from_slice(&made.stdout).context("portreeve owner link -o json")?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; its errors show in the request that meets them.
        tokio::spawn(connection);
        let mut visitor = Self {
            host: address.to_string(),
            cookie: String::new(),
            sender,
        };
        let uri: hyper::Uri = link.url.parse()?;
        let path = uri
            .path_and_query()
            .context("a link without a path")?
            .as_str();
        let (status, headers, _) = visitor.get(path, "identity").await?;
        ensure!(status.is_redirection(), "{path} answered {status}");
        let pairs = headers.get_all(SET_COOKIE).iter();
        let pairs: Vec<&str> = pairs
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .collect();
        visitor.cookie = pairs.join("; ");
        Ok(visitor)
    }

    /// Asks for a page in both encodings.
    pub(super) async fn page(&mut self, path: &str) -> Result<Page> {
        let begun = Instant::now();
        let (_, _, compressed) = self.get(path, "br, gzip").await?;
        let took = begun.elapsed();
        let (status, headers, body) = self.get(path, "identity").await?;
        if status != StatusCode::OK {
            bail!("{path} answered {status} {:?}", headers.get(LOCATION));
        }
        Ok(Page {
            text: String::from_utf8_lossy(&body).into_owned(),
            compressed: compressed.len(),
            took,
        })
    }

    async fn get(&mut self, path: &str, encodings: &str) -> Result<(StatusCode, HeaderMap, Bytes)> {
        let request = Request::get(path)
            .header(HOST, &self.host)
            .header(COOKIE, &self.cookie)
            .header(ACCEPT_ENCODING, encodings)
            .body(Empty::new())?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, headers, body))
    }
}

/// What a browser loads that has nothing of the site yet: a page, and the assets that it and they name, each with its
/// compressed bytes.
pub(super) async fn loaded_by(visitor: &mut Visitor, path: &str) -> Result<Vec<(String, usize)>> {
    let mut loaded: Vec<(String, usize)> = Vec::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if loaded.iter().any(|(known, _)| *known == path) {
            continue;
        }
        let page = visitor.page(&path).await?;
        waiting.extend(assets(&page.text).map(str::to_owned));
        loaded.push((path, page.compressed));
    }
    Ok(loaded)
}

/// The paths under `/assets/` in a text.
fn assets(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("/assets/").map(|(at, _)| {
        let path = &text[at..];
        let end = path.find(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
        &path[..end.unwrap_or(path.len())]
    })
}

/// The first link of a page that begins like this and goes on, with an id in it.
pub(super) fn first_link(html: &str, begin: &str) -> Option<String> {
    html.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(target, _)| target)
        // Ids are UUIDs or have digits; `new` and `export` have none.
        .find(|target| {
            let rest = target.strip_prefix(begin);
            rest.is_some_and(|rest| rest.contains(|c: char| c.is_ascii_digit()))
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_wherever_they_are_named() {
        let text = r#"<link href="/assets/a.1f.css"><svg><use href="/assets/icons-2.svg#user"/></svg> import "/assets/b.js";"#;
        let found: Vec<&str> = assets(text).collect();
        assert_eq!(
            found,
            ["/assets/a.1f.css", "/assets/icons-2.svg", "/assets/b.js"]
        );
    }

    #[test]
    fn the_first_object_is_no_action() {
        let html = r#"<a href="/console/users"></a><a href="/console/users/new"></a><a href="/console/users/d1/u2">"#;
        let found = first_link(html, "/console/users/");
        assert_eq!(found.as_deref(), Some("/console/users/d1/u2"));
    }
}
