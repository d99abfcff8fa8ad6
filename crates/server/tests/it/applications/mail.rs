//! Who is told when a job goes into quarantine.

use super::port::{Port, status};
use portreeve_server::config::Mail;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A mail server that takes what the first commands after `EHLO` say, or refuses recipients for a while.
struct Sink {
    url: String,
    mails: UnboundedReceiver<String>,
}

impl Sink {
    /// `refusals`: how many recipients are turned away before one is taken.
    async fn start(mut refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port is known");
        let (sender, mails) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let taken = talk(stream, &sender, refusals == 0).await;
                refusals -= usize::from(taken.is_none() && refusals > 0);
            }
        });
        Self {
            url: format!("smtp://{address}"),
            mails,
        }
    }

    async fn next(&mut self) -> String {
        let mail = tokio::time::timeout(Duration::from_secs(30), self.mails.recv()).await;
        mail.expect("a mail comes").expect("the sink lives")
    }
}

/// One connection (RFC 5321). `None` when no mail was taken.
async fn talk(stream: TcpStream, mails: &UnboundedSender<String>, takes: bool) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut mail, mut in_data, mut taken) = (String::new(), false, None);
    stream.write_all(b"220 sink\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return taken;
        }
        let answer: &[u8] = match (in_data, line.trim_end()) {
            (true, ".") => {
                in_data = false;
                taken = mails.send(std::mem::take(&mut mail)).ok();
                b"250 taken\r\n"
            }
            (true, _) => {
                mail.push_str(&line);
                continue;
            }
            (false, "DATA") => {
                in_data = true;
                b"354 go on\r\n"
            }
            (false, command) if command.starts_with("RCPT") && !takes => b"451 later\r\n",
            (false, "QUIT") => b"221 bye\r\n",
            (false, _) => b"250 fine\r\n",
        };
        stream.write_all(answer).await.ok()?;
    }
}

async fn port(sink: &Sink) -> Port {
    let server = sink.url.clone();
    Port::with(|config| {
        // Among several servers a jump of the clock is a standstill, after which a mail under way is sent again.
        portreeve_testbed::embedded(config);
        config.mail = Some(Mail {
            server,
            from: "portreeve@contoso.example".to_owned(),
            password_file: None,
            ca_file: None,
            encrypted: None,
        });
    })
    .await
}

#[tokio::test]
async fn each_who_wants_to_be_told_is_told_once_of_a_quarantine() {
    let mut sink = Sink::start(1).await;
    let port = port(&sink).await;
    let mut definition = port.definition();
    definition["target"]["authentication"]["token"] = json!("wrong");
    definition["notify"] = json!(["ada@contoso.example", "grace@contoso.example"]);
    let made = port.admin().post("/applications", definition).await;
    assert_eq!(made.status, 201, "{made}");
    let bad = status(port.admin(), |status| status["code"] == "Quarantine").await;
    assert_eq!(
        bad["quarantine"]["reason"], "EncounteredQuarantineException",
        "{bad:#}"
    );
    let listed = port.admin().get("/applications").await.json;
    assert_eq!(
        listed[0]["quarantine"]["reason"],
        "EncounteredQuarantineException"
    );

    // The first is turned away for now and comes later.
    let second = sink.next().await;
    assert!(second.contains("To: grace@contoso.example"), "{second}");
    assert!(
        second.contains("Subject: Portreeve: Town is in quarantine"),
        "{second}"
    );
    port.server.clock().advance(Duration::from_secs(61));
    let first = sink.next().await;
    assert!(first.contains("To: ada@contoso.example"), "{first}");

    let token = json!({"target": port.definition()["target"]});
    port.admin().patch("/applications/town", token).await;
    port.admin()
        .post("/applications/town/start", json!({}))
        .await;
    status(port.admin(), |status| status["code"] == "Active").await;
    let events = port.events().await;
    assert_eq!(events[..2], ["local create Town", "system quarantine Town"]);
    assert!(sink.mails.try_recv().is_err(), "nobody is told twice");
    port.server.stop().await;
}
