//! A mail server that takes mails and lets tests read them.

use portreeve_server::Config;
use portreeve_server::config::Mail;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A mail server that takes what the first commands after `EHLO` say, or refuses recipients for a while, or is away.
pub(crate) struct Sink {
    url: String,
    mails: UnboundedReceiver<String>,
    is_away: Arc<AtomicBool>,
}

impl Sink {
    /// `refusals`: how many recipients are turned away before one is taken.
    pub(crate) async fn start(mut refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("the port is known");
        let (sender, mails) = unbounded_channel();
        let is_away = Arc::new(AtomicBool::new(false));
        let away = is_away.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if away.load(Ordering::SeqCst) {
                    continue;
                }
                let taken = talk(stream, &sender, refusals == 0).await;
                refusals -= usize::from(taken.is_none() && refusals > 0);
            }
        });
        Self {
            url: format!("smtp://{address}"),
            mails,
            is_away,
        }
    }

    /// From now on connections end before a word is said, or no longer.
    pub(crate) fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Lets a server send its mails here.
    pub(crate) fn serve(&self, config: &mut Config) {
        config.mail = Some(Mail {
            server: self.url.clone(),
            from: "portreeve@contoso.example".to_owned(),
            password_file: None,
            ca_file: None,
            encrypted: None,
        });
    }

    /// The next mail, with its headers.
    pub(crate) async fn next(&mut self) -> String {
        let mail = tokio::time::timeout(Duration::from_secs(30), self.mails.recv()).await;
        mail.expect("a mail comes").expect("the sink lives")
    }

    /// Whether no mail has come that nobody has asked for.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.mails.try_recv().is_err()
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
