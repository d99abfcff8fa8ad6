//! One kept-alive HTTP/1.1 connection.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

/// Where requests go.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// The path before `/Users`.
    pub(crate) base: String,
    /// The `Authorization` header; `None`: none is sent.
    pub(crate) authorization: Option<HeaderValue>,
    /// How connections are encrypted; `None`: they are not.
    pub(crate) tls: Option<TlsConnector>,
}

/// A request and what its answer must be.
pub(crate) struct Exchange {
    pub(crate) method: Method,
    /// Path and query after the base.
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) status: StatusCode,
    /// Text that the answer's body contains; empty for none.
    pub(crate) contains: String,
}

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Connection {
    base: String,
    authorization: Option<HeaderValue>,
    host: HeaderValue,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let address = target.address;
        ensure!(
            address.ip().is_loopback(),
            "only servers on this machine are measured, not {address}"
        );
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let sender = match &target.tls {
            None => start(stream).await?,
            Some(tls) => {
                let name = ServerName::from(address.ip());
                start(tls.connect(name, stream).await?).await?
            }
        };
        Ok(Self {
            base: target.base.clone(),
            authorization: target.authorization.clone(),
            host: HeaderValue::from_str(&address.to_string())?,
            sender,
        })
    }

    /// To the socket in the data folder of a server; paths begin at `base`.
    pub(crate) async fn local(data: &Path, base: &str) -> Result<Self> {
        let stream = UnixStream::connect(data.join("portreeve.sock")).await?;
        Ok(Self {
            base: base.to_owned(),
            authorization: None,
            host: HeaderValue::from_static("localhost"),
            sender: start(stream).await?,
        })
    }

    /// Sends a request and takes the whole answer.
    pub(crate) async fn send(
        &mut self,
        method: &Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer> {
        self.send_with(method, path, &[], body).await
    }

    /// The same with headers of its own.
    pub(crate) async fn send_with(
        &mut self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(HOST, self.host.clone())
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/scim+json; charset=utf-8"),
            );
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let (head, body) = answer.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    /// Sends a request and checks the answer.
    pub(crate) async fn exchange(&mut self, exchange: &Exchange) -> Result<Answer> {
        let Exchange {
            method,
            path,
            body,
            status,
            contains,
        } = exchange;
        let answer = self
            .send(method, path, body.clone())
            .await
            .with_context(|| format!("{method} {path}"))?;
        let is_right = answer.status == *status && holds(&answer.body, contains.as_bytes());
        ensure!(
            is_right,
            "{method} {path} answered {}, wanted {status} with {contains:?}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)])
        );
        Ok(answer)
    }
}

/// Speaks HTTP over a stream.
async fn start(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Full<Bytes>>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the sender; its errors show in the request that meets them.
    tokio::spawn(connection);
    Ok(sender)
}

fn holds(body: &[u8], part: &[u8]) -> bool {
    part.is_empty() || body.windows(part.len()).any(|window| window == part)
}
