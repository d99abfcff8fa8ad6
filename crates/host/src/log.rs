//! What happens in sessions, from the log lines of `sshd` and `sudo` themselves: there is no code of ours in the way of who
//! logs in. Events wait on disk until the server has them.

use crate::paths::Paths;
use crate::wire::{Answer, Refusal};

mod buffer;

pub use buffer::{Buffer, MOST};

/// Answers [`Request::Sessions`](crate::wire::Request::Sessions).
pub fn answer(paths: &Paths, after: u64) -> Answer {
    match Buffer::open(paths).and_then(|mut buffer| buffer.after(after)) {
        Ok(sessions) => Answer::Sessions(sessions),
        Err(error) => Answer::Refused(Refusal {
            code: "sessions_unreadable".to_owned(),
            detail: format!("what happened in sessions cannot be told: {error}"),
        }),
    }
}
