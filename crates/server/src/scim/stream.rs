//! Resources sent piece by piece: a page of users is over a megabyte, and a group may have a hundred thousand members.
//!
//! Each piece is put together when the client is ready for it, so that a slow client does not have the whole answer held
//! in memory. Members are read in short reads of their own, so that it does not hold a snapshot of the database either.
//! Members who come or go meanwhile may be seen or not; the version that was sent is the one from before, so that a later
//! `If-Match` notices.

use super::context::Ctx;
use super::error::Failure;
use super::{render, tag};
use crate::app::App;
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use portreeve_directory::Refusal;
use portreeve_directory::directories::Directory;
use portreeve_directory::groups::Group;
use portreeve_directory::members::{self, Member};
use portreeve_directory::users::User;
use portreeve_scim::Projection;
use serde_json::{Map, Value};
use std::io;
use std::sync::Arc;
use std::vec::IntoIter;

/// Members per read.
const MEMBERS: i64 = 1000;
/// A piece is sent when it is this long.
const PIECE: usize = 64 * 1024;
/// Room for it and for what made it long enough, mostly.
const ROOM: usize = PIECE + 4096;

/// What a body is made of: `head`, the users and then the groups, separated by commas, and `tail`.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) head: String,
    pub(super) users: Vec<User>,
    pub(super) groups: Vec<Group>,
    pub(super) tail: &'static str,
}

impl Parts {
    /// An empty list, but for its head.
    pub(super) fn list() -> Self {
        Self {
            tail: render::LIST_TAIL,
            ..Self::default()
        }
    }
}

/// The body. What fits into one piece is sent as one, with its length.
pub(super) async fn body(ctx: &Ctx, projection: Projection, parts: Parts) -> Result<Body, Failure> {
    let directory = ctx.call.directory.clone();
    let room: usize = parts.users.iter().map(render::room_for).sum();
    let mut writer = Writer {
        app: ctx.app.clone(),
        base: ctx.base.clone(),
        with_members: projection.wants(directory.catalog.group(), "members"),
        projection,
        directory,
        users: parts.users.into_iter(),
        groups: parts.groups.into_iter(),
        open: None,
        first: true,
        buffer: parts.head,
        tail: Some(parts.tail),
    };
    writer.buffer.reserve(ROOM.min(room + parts.tail.len()));
    let first = writer.piece().await?.unwrap_or_default();
    if writer.tail.is_none() {
        return Ok(Body::from(first));
    }
    let rest = stream::unfold(writer, |mut writer| async move {
        match writer.piece().await {
            Ok(None) => None,
            Ok(Some(piece)) => Some((Ok(piece), writer)),
            Err(error) => {
                tracing::error!(%error, "an answer could not be put together to its end");
                writer.tail = None;
                Some((Err(io::Error::other("interrupted")), writer))
            }
        }
    });
    let whole = futures_util::StreamExt::chain(stream::iter([Ok::<Bytes, io::Error>(first)]), rest);
    Ok(Body::from_stream(whole))
}

struct Writer {
    app: Arc<App>,
    base: String,
    projection: Projection,
    with_members: bool,
    directory: Arc<Directory>,
    users: IntoIter<User>,
    groups: IntoIter<Group>,
    /// The group whose members are being written.
    open: Option<Open>,
    first: bool,
    buffer: String,
    /// `None` once everything is written.
    tail: Option<&'static str>,
}

struct Open {
    id: String,
    /// The last member written.
    after: String,
    /// The group without members, until it is known whether it has any.
    alone: Option<String>,
    any: bool,
}

impl Writer {
    /// The next piece; `None` at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Refusal> {
        while self.buffer.len() < PIECE && self.tail.is_some() {
            self.step().await?;
        }
        let room = self.tail.map_or(0, |_| ROOM);
        let piece = std::mem::replace(&mut self.buffer, String::with_capacity(room));
        Ok((!piece.is_empty()).then(|| Bytes::from(piece)))
    }

    async fn step(&mut self) -> Result<(), Refusal> {
        if let Some(open) = self.open.take() {
            return self.members(open).await;
        }
        if let Some(user) = self.users.next() {
            return self.user(&user);
        }
        let Some(group) = self.groups.next() else {
            self.buffer.push_str(self.tail.take().unwrap_or_default());
            return Ok(());
        };
        self.separate();
        let of = self.directory.catalog.group();
        let alone = render::group_alone(&self.base, &group, of, &self.projection)?;
        if !self.with_members {
            self.buffer.push_str(&alone);
            return Ok(());
        }
        self.open = Some(Open {
            id: group.id,
            after: String::new(),
            alone: Some(alone),
            any: false,
        });
        Ok(())
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.buffer.push(',');
        }
    }

    fn user(&mut self, user: &User) -> Result<(), Refusal> {
        self.separate();
        let of = self.directory.catalog.user();
        let tag = tag::of_user(user, of, &self.projection);
        let text = render::user(&self.base, user, &tag, of, &self.projection)?;
        self.buffer.push_str(&text);
        Ok(())
    }

    /// Some more members of the open group. A group without members has no attribute `members`.
    async fn members(&mut self, mut open: Open) -> Result<(), Refusal> {
        let (directory, id, after) = (
            self.directory.id.clone(),
            open.id.clone(),
            open.after.clone(),
        );
        let page = self
            .app
            .store
            .lookup(move |tx| members::page(tx, &directory, &id, &after, MEMBERS))
            .await?;
        if let Some(alone) = open.alone.take() {
            self.buffer.push_str(&alone);
            if !page.is_empty() {
                // The members go before the last brace.
                self.buffer.pop();
                self.buffer.push_str(",\"members\":[");
            }
        }
        let selected = if self.projection.is_everything() {
            None
        } else {
            Some(self.selected(&page))
        };
        for (i, member) in page.iter().enumerate() {
            if std::mem::replace(&mut open.any, true) {
                self.buffer.push(',');
            }
            match &selected {
                Some(elements) => self
                    .buffer
                    .push_str(elements.get(i).map_or("{}", String::as_str)),
                None => render::member(&mut self.buffer, &self.base, &member.id, &member.kind),
            }
        }
        match page.last() {
            Some(last) if page.len() as i64 == MEMBERS => {
                open.after.clone_from(&last.id);
                self.open = Some(open);
            }
            _ if open.any => self.buffer.push_str("]}"),
            _ => {}
        }
        Ok(())
    }

    /// The elements with only the sub-attributes that were asked for.
    fn selected(&self, page: &[Member]) -> Vec<String> {
        let of = self.directory.catalog.group();
        page.iter()
            .map(|member| {
                let mut text = String::new();
                render::member(&mut text, &self.base, &member.id, &member.kind);
                let element: Value = serde_json::from_str(&text).unwrap_or_default();
                let mut map = Map::from_iter([("members".to_owned(), Value::Array(vec![element]))]);
                self.projection.apply(of, &mut map);
                map.get("members")
                    .and_then(|list| list.get(0))
                    .map_or_else(|| "{}".to_owned(), Value::to_string)
            })
            .collect()
    }
}
