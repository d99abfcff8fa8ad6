//! A relay in front of a server that takes down which requests pass.
//!
//! What a client says of itself is no measurement. It stands in the way of small cycles only, where its own cost does
//! not count.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Runs until its runtime ends.
pub(crate) struct Relay {
    /// What clients have sent, a text for each connection.
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Relay {
    /// Listens where a server was, and passes everything on to where it is now.
    pub(crate) async fn between(address: SocketAddr, server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let all = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = {
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push(Vec::new());
                    all.len() - 1
                };
                // A connection that breaks shows in the client, which says so.
                tokio::spawn(pass(client, server, Arc::clone(&all), number));
            }
        });
        Ok(Self { heard })
    }

    /// The request lines since the last call, without the protocol: `GET /scim/…/Users?filter=…`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = heard.iter_mut().map(std::mem::take);
        connections.flat_map(|text| request_lines(&text)).collect()
    }
}

async fn pass(
    client: TcpStream,
    server: SocketAddr,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    number: usize,
) -> Result<()> {
    let server = TcpStream::connect(server).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from_client.read(&mut buffer).await?;
        if length == 0 {
            break;
        }
        heard.lock().unwrap_or_else(PoisonError::into_inner)[number]
            .extend_from_slice(&buffer[..length]);
        to_server.write_all(&buffer[..length]).await?;
    }
    drop(to_server);
    back.await??;
    Ok(())
}

/// The first lines of the requests in what a connection carried. Bodies are JSON without line breaks, so that the
/// protocol's name at the end of a line stands in first lines only.
fn request_lines(sent: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(sent);
    let mut pieces: Vec<&str> = text.split(" HTTP/1.1\r\n").collect();
    pieces.pop();
    let line = |piece: &str| {
        let (before, target) = piece.rsplit_once(' ')?;
        let method = before.rfind(|c: char| !c.is_ascii_uppercase());
        Some(format!(
            "{} {target}",
            &before[method.map_or(0, |at| at + 1)..]
        ))
    };
    pieces.into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::request_lines;

    #[test]
    fn requests_are_told_apart() {
        let sent = "GET /scim/Users?filter=userName+eq+%22a%22 HTTP/1.1\r\nhost: x\r\n\r\nPOST /scim/Users HTTP/1.1\r\n\
                    content-length: 16\r\n\r\n{\"name\": \"É GET\"}PATCH /scim/Users/1 HTTP/1.1\r\n\r\n";
        let expected = [
            "GET /scim/Users?filter=userName+eq+%22a%22",
            "POST /scim/Users",
            "PATCH /scim/Users/1",
        ];
        assert_eq!(request_lines(sent.as_bytes()), expected);
        assert_eq!(request_lines(b""), [""; 0]);
    }
}
