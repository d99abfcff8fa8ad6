//! What the servers of one database tell one another, so that nobody goes by what has changed since.
//!
//! It makes things quick, and nothing relies on it, because a notice can be lost: what a server remembers of tokens and
//! directories it forgets after a second anyway, and who waits for news of other servers looks every second.

use crate::app::App;
use crate::http::asked_to_stop;
use portreeve_store::Notice;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// Something was committed.
const NEWS: &str = "news";
/// Directories or tokens have changed.
const RULES: &str = "rules";
/// Before the id of a directory that was deleted.
const GONE: &str = "gone/";

/// Something was committed that others may wait for.
pub(crate) fn tell_news(app: &App) {
    app.look_again();
    tell(app, || NEWS.to_owned());
}

/// Directories or tokens have changed: what was remembered of them is forgotten.
pub(crate) fn tell_rules(app: &App) {
    forget_rules(app);
    tell(app, || RULES.to_owned());
}

/// A directory was deleted: what was remembered of it is forgotten.
pub(crate) fn tell_gone(app: &App, directory_id: &str) {
    forget(app, directory_id);
    tell(app, || format!("{GONE}{directory_id}"));
}

fn tell(app: &App, payload: impl FnOnce() -> String) {
    if !app.replica.is_sole() {
        app.store.notify(payload());
    }
}

/// Does what others tell, until the server stops.
pub(crate) async fn listen(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    if app.replica.is_sole() {
        return;
    }
    let mut notices = app.store.notices();
    loop {
        let heard = tokio::select! {
            () = asked_to_stop(&mut stop) => return,
            heard = notices.recv() => heard,
        };
        match heard {
            Ok(Notice::Payload(payload)) => hear(&app, &payload),
            Ok(Notice::Missed) | Err(RecvError::Lagged(_)) => {
                forget_rules(&app);
                app.look_again();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// What a newer server says that this one does not know concerns nothing that this one remembers.
fn hear(app: &App, payload: &str) {
    match payload {
        NEWS => app.look_again(),
        RULES => forget_rules(app),
        _ => {
            if let Some(directory_id) = payload.strip_prefix(GONE) {
                forget(app, directory_id);
            }
        }
    }
}

fn forget_rules(app: &App) {
    app.tokens.clear();
    app.estates.look_again();
    app.step.look_again();
}

fn forget(app: &App, directory_id: &str) {
    app.told.forget(directory_id);
    app.strangers.forget(directory_id);
    app.requests.forget(directory_id);
}
