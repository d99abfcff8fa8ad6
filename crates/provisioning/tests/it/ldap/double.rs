//! An LDAP server that says what a test wants it to say, for what no slapd says: ranges of members, every result code,
//! answers that are none.

use std::sync::Arc;

use ldap3::asn1::{PL, StructureTag, parse_tag};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A search as it arrives.
#[derive(Debug, Clone)]
pub(super) struct Search {
    pub(super) base: String,
    pub(super) deep: bool,
    pub(super) attributes: Vec<String>,
}

/// What is said.
#[derive(Debug, Clone)]
pub(super) enum Say {
    /// An entry.
    Entry(String, Vec<(String, Vec<Vec<u8>>)>),
    /// A reference to another server.
    Referral(&'static str),
    /// An entry in which something else is.
    NoEntry,
    /// The end, with a result code.
    Done(u8),
    /// The end, with a control for paging in which something else is.
    NoPage,
    /// The connection ends.
    HangUp,
}

/// What is said to each search.
pub(super) type Script = Arc<dyn Fn(&Search) -> Vec<Say> + Send + Sync>;

/// Starts a server that answers a bind with `bind`, and searches as the script says. Gives back its URL.
pub(super) async fn start(bind: u8, script: Script) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ldap://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, bind, Arc::clone(&script)));
        }
    });
    url
}

async fn serve(mut stream: TcpStream, bind: u8, script: Script) -> std::io::Result<()> {
    // Otherwise each answer in two parts waits 40 ms for the first to be acknowledged.
    stream.set_nodelay(true)?;
    let mut arrived = Vec::new();
    loop {
        let message = parse_tag(&arrived)
            .ok()
            .map(|(rest, tag)| (rest.len(), tag));
        let Some((rest, message)) = message else {
            if stream.read_buf(&mut arrived).await? == 0 {
                return Ok(());
            }
            continue;
        };
        arrived.drain(..arrived.len() - rest);
        let mut message = parts(message).into_iter();
        let (Some(id), Some(operation)) = (message.next(), message.next()) else {
            return Ok(());
        };
        let id = bytes(id);
        match operation.id {
            0 => stream.write_all(&reply(&id, &done(1, bind), &[])).await?,
            3 => {
                for say in script(&search(operation)) {
                    let (answer, control): (Vec<u8>, &[u8]) = match &say {
                        Say::Entry(dn, attributes) => (entry(dn, attributes), &[]),
                        Say::Referral(url) => (tlv(0x73, &tlv(4, url.as_bytes())), &[]),
                        Say::NoEntry => (tlv(0x64, &tlv(4, b"cn=x")), &[]),
                        Say::Done(code) => (done(5, *code), &[]),
                        Say::NoPage => (done(5, 0), b"nonsense"),
                        Say::HangUp => return Ok(()),
                    };
                    stream.write_all(&reply(&id, &answer, control)).await?;
                }
            }
            _ => return Ok(()),
        }
    }
}

fn search(operation: StructureTag) -> Search {
    let parts = parts(operation);
    let attributes = self::parts(parts[7].clone());
    let text = |tag: &StructureTag| String::from_utf8(bytes(tag.clone())).unwrap();
    Search {
        base: text(&parts[0]),
        deep: bytes(parts[1].clone()) == [2],
        attributes: attributes.iter().map(text).collect(),
    }
}

fn entry(dn: &str, attributes: &[(String, Vec<Vec<u8>>)]) -> Vec<u8> {
    let list = attributes.iter().flat_map(|(name, values)| {
        let values: Vec<u8> = values.iter().flat_map(|value| tlv(4, value)).collect();
        tlv(
            0x30,
            &[tlv(4, name.as_bytes()), tlv(0x31, &values)].concat(),
        )
    });
    let list = tlv(0x30, &list.collect::<Vec<u8>>());
    tlv(0x64, &[tlv(4, dn.as_bytes()), list].concat())
}

fn done(operation: u8, code: u8) -> Vec<u8> {
    let result = [tlv(10, &[code]), tlv(4, b""), tlv(4, b"as the test says")].concat();
    tlv(0x60 | operation, &result)
}

/// A whole message; a value for the control of paging, if there is one.
fn reply(id: &[u8], answer: &[u8], paging: &[u8]) -> Vec<u8> {
    let mut message = [tlv(2, id), answer.to_vec()].concat();
    if !paging.is_empty() {
        let control = [tlv(4, b"1.2.840.113556.1.4.319"), tlv(4, paging)].concat();
        message.extend(tlv(0xa0, &tlv(0x30, &control)));
    }
    tlv(0x30, &message)
}

/// Tag, length and value (X.690 section 8.1).
fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut whole = vec![tag, 0x84];
    whole.extend((value.len() as u32).to_be_bytes());
    whole.extend(value);
    whole
}

fn parts(tag: StructureTag) -> Vec<StructureTag> {
    match tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => Vec::new(),
    }
}

fn bytes(tag: StructureTag) -> Vec<u8> {
    match tag.payload {
        PL::P(bytes) => bytes,
        PL::C(_) => Vec::new(),
    }
}
