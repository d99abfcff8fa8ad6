//! One's own page.

mod access;

use super::happening::time;
use super::people::{group_page, source};
use super::sessions::table;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::admin::{passkeys, sessions, users};
use crate::sso::passkey;
use axum::response::Response;
use portreeve_console::pages::me::{Me, Membership, Passkey, Passkeys};
use portreeve_console::parts::{Confirm, Fact, Facts, PostButton, Shown, Source};
use portreeve_console::{Address, Section};
use portreeve_directory::Permission;
use portreeve_directory::holders::Holder;
use portreeve_directory::permissions::Level;

/// What is known about oneself, where one is signed in, and with what one can sign in.
pub(super) async fn show(visit: Visit) -> Response {
    visit.or_trouble(make(&visit).await)
}

async fn make(visit: &Visit) -> Result<Response, Trouble> {
    let own = sessions::own(&visit.app, &visit.admin).await?;
    let others = own.iter().filter(|session| !session.current).count();
    let mut all = table("Your sessions", &own, false, true);
    for (row, session) in all.rows.iter_mut().zip(&own) {
        if let Some(end) = &mut row.end {
            end.action = Address::new("/console/me/sessions")
                .join(&session.id)
                .join("end");
        }
    }
    let (profile, from, groups) = about(visit).await?;
    Ok(visit.page(&Me {
        shell: visit.shell(),
        profile,
        source: from,
        groups,
        access: access::of(visit).await?,
        sessions: all,
        end_others: (others > 0).then(|| Confirm {
            id: "end-others".to_owned(),
            opener: "Sign out elsewhere…".to_owned(),
            title: "Sign out everywhere else?".to_owned(),
            effect: match others {
                1 => "One other session ends at once.".to_owned(),
                others => format!("{others} other sessions end at once."),
            },
            action: Address::new("/console/me/sessions/end-others"),
            label: "Sign out".to_owned(),
            values: Vec::new(),
            fields: Vec::new(),
            danger: false,
        }),
        passkeys: keys(visit).await?,
    }))
}

async fn about(visit: &Visit) -> Result<(Facts, Source, Vec<Membership>), Trouble> {
    let Some(Holder::User { directory_id, id }) = visit.who.holder.clone() else {
        let facts = vec![
            Fact::text("Name", visit.who.name.clone()),
            Fact::text("What you are", "Local owner, in no directory"),
        ];
        return Ok((Facts(facts), Source::Portreeve, Vec::new()));
    };
    let user = users::get(&visit.app, &visit.admin, &directory_id, &id).await?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let facts = vec![
        Fact::text("Name", text(&user.display_name)),
        Fact::text("User name", text(&user.user_name)),
        Fact::text("E-mail", text(&user.email)),
        Fact::new("Changed", Shown::Time(time(user.updated_at.0))),
    ];
    let may = visit.may(Permission::GroupRead);
    let groups = user.groups.iter().map(|group| Membership {
        name: group.display.clone(),
        href: may.then(|| group_page(&directory_id, &group.id)),
        source: source(&group.managed_by),
        via: if group.direct {
            String::new()
        } else {
            "another group".to_owned()
        },
        until: group.expires_at.map(|at| time(at.0)),
    });
    Ok((Facts(facts), source(&user.managed_by), groups.collect()))
}

/// Passkeys are for owners: everybody else signs in at the provider.
async fn keys(visit: &Visit) -> Result<Option<Passkeys>, Trouble> {
    let Some(holder) = visit
        .who
        .holder
        .as_ref()
        .filter(|_| visit.who.level == Some(Level::Owner))
    else {
        return Ok(None);
    };
    let known = passkeys::of(&visit.app, &visit.admin, holder).await?;
    let rows = known.iter().map(|passkey| Passkey {
        name: passkey.name.clone(),
        added: time(passkey.created_at),
        last_used: passkey.last_used_at.map(time),
        remove: PostButton {
            action: Address::new("/console/me/passkeys")
                .join(&passkey.id)
                .join("remove"),
            label: "Remove".to_owned(),
            values: Vec::new(),
            class: "small",
        },
    });
    let hindrance = passkey::site(&visit.app, visit.headers()).err();
    let hindrance = hindrance.map_or_else(String::new, |unfit| unfit.to_string());
    Ok(Some(Passkeys {
        rows: rows.collect(),
        hindrance,
    }))
}

/// Ends one of one's own sessions.
pub(super) async fn end(visit: Visit) -> Response {
    let done = async {
        sessions::end_own(&visit.app, &visit.admin, &visit.param("session")).await?;
        Ok(visit.done(&Section::Me.address(), "The session has ended."))
    };
    visit.or_trouble(done.await)
}

/// Ends all of one's own sessions but this one.
pub(super) async fn end_others(visit: Visit) -> Response {
    let done = async {
        for session in sessions::own(&visit.app, &visit.admin).await? {
            if !session.current {
                sessions::end_own(&visit.app, &visit.admin, &session.id).await?;
            }
        }
        Ok(visit.done(
            &Section::Me.address(),
            "You are signed out everywhere else.",
        ))
    };
    visit.or_trouble(done.await)
}

/// Removes one of one's own passkeys.
pub(super) async fn remove_passkey(visit: Visit) -> Response {
    let done = async {
        let holder = visit.who.holder.as_ref();
        passkeys::remove(&visit.app, &visit.admin, holder, &visit.param("passkey")).await?;
        Ok(visit.done(
            &Section::Me.address().at("passkeys"),
            "The passkey is removed, and where else you had signed in with it you are signed out.",
        ))
    };
    visit.or_trouble(done.await)
}
