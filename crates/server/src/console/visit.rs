//! What a handler of the console knows of its request.

use super::form::{self, Form};
use super::trouble::Trouble;
use super::visitors;
use crate::admin::{self, Admin};
use crate::app::App;
use crate::body::BodyError;
use crate::sso::page;
use crate::who::{self, Stranger, Who, cookie, set_cookie};
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CONTENT_LENGTH, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use portreeve_console::parts::{Level as Shown, Tone};
use portreeve_console::{Flash, Page, Section, Shell};
use portreeve_directory::permissions::Level;
use portreeve_directory::teams::Team;
use portreeve_directory::{Permission, Refusal, events};
use portreeve_store::Tx;
use std::sync::Arc;

/// What the last action did, for the next page to say once.
const FLASH: &str = "__Host-portreeve-flash";
/// For how many seconds it waits for that page.
const FLASH_S: i64 = 30;

/// What a page needs its visitor to have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs(pub(crate) Permission);

/// A request of somebody who is signed in and may see the page, or do what it does.
pub(crate) struct Visit {
    pub(crate) app: Arc<App>,
    /// Who it is, and what they may do.
    pub(crate) who: Who,
    /// Who asks, for the use cases and their events.
    pub(crate) admin: Admin,
    /// The team that they are signed in to.
    pub(crate) team: Team,
    /// Whether their console shows what concerns visitors.
    has_visitors: bool,
    /// Where the team's feed ends; what the page shows is read later. Not for a page that answers a form, which would hear
    /// first of what it has done itself.
    position: Option<i64>,
    /// Decoded query parameters.
    pub(crate) pairs: Vec<(String, String)>,
    params: Vec<(String, String)>,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        // A page that does not say what it needs is open to nobody.
        let needs = parts.extensions.get::<Needs>().copied();
        let visit = enter(parts, app).await?;
        // Also what reads no form is sent none that large.
        let length = parts.headers.get(CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > form::LIMIT) {
            return Err(visit.trouble(&BodyError::TooLarge(form::LIMIT).into()));
        }
        match needs {
            Some(Needs(needed)) if visit.who.may(needed) => Ok(visit),
            Some(Needs(needed)) => Err(visit.trouble(&Trouble::Forbidden(needed))),
            None => Err(visit.trouble(&Trouble::NotFound)),
        }
    }
}

/// Answers requests for pages that do not exist.
pub(crate) async fn nothing_there(
    axum::extract::State(app): axum::extract::State<Arc<App>>,
    mut parts: Parts,
) -> Response {
    match enter(&mut parts, &app).await {
        Ok(visit) => visit.trouble(&Trouble::NotFound),
        Err(response) => response,
    }
}

async fn enter(parts: &mut Parts, app: &Arc<App>) -> Result<Visit, Response> {
    let who = who::identify(app, parts)
        .await
        .map_err(|stranger| turned_away(parts, stranger))?;
    let admin = Admin::new(app, &who, parts);
    let params = match RawPathParams::from_request_parts(parts, app).await {
        Ok(params) => params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        Err(_) => Vec::new(),
    };
    let finder = admin.clone();
    let may_see = who.may(Permission::VisitorRead);
    let is_get = parts.method == http::Method::GET;
    let found = app.store.lookup(move |tx| {
        let team = finder.team(tx, None)?;
        let has_visitors = may_see && visitors::are_received(tx, &team.id)?;
        let position = is_get.then(|| events::last(tx, &team.id)).transpose()?;
        Ok::<_, Refusal>((team, has_visitors, position))
    });
    let (team, has_visitors, position) =
        found.await.map_err(|error| Trouble::from(error).alone())?;
    let query = parts.uri.query().unwrap_or_default();
    Ok(Visit {
        app: app.clone(),
        who,
        admin,
        team,
        has_visitors,
        position,
        pairs: url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
        params,
        headers: parts.headers.clone(),
    })
}

/// Sends whoever is not signed in to where one signs in, and back afterwards.
fn turned_away(parts: &Parts, stranger: Stranger) -> Response {
    match stranger {
        Stranger::Missing | Stranger::Session | Stranger::Token(_) => {
            let wanted = parts
                .uri
                .path_and_query()
                .map_or("/console", |path| path.as_str());
            // What was posted is not posted again.
            let wanted = if parts.method == http::Method::GET {
                wanted
            } else {
                "/console"
            };
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("return_to", wanted)
                .finish();
            page::see(&format!("/sign-in?{query}"), None)
        }
        Stranger::CrossSite => Trouble::CrossSite.alone(),
        Stranger::NotNow(not_now) => super::not_now(not_now),
        Stranger::Failed(refusal) => Trouble::from(refusal).alone(),
    }
}

impl Visit {
    /// A parameter of the path.
    pub(crate) fn param(&self, name: &str) -> String {
        let found = self.params.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// A parameter of the query; empty where it is not there.
    pub(crate) fn query(&self, name: &str) -> &str {
        let found = self.pairs.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    /// The headers of the request.
    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Whether the visitor may do that, so that a page offers nothing that would be refused.
    pub(crate) fn may(&self, one: Permission) -> bool {
        self.who.may(one)
    }

    /// The form that was posted.
    pub(crate) async fn form(&self, body: Body) -> Result<Form, Trouble> {
        Form::read(&self.app, &self.headers, body).await
    }

    /// Reads on one snapshot.
    pub(crate) async fn read<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Trouble> {
        Ok(self.app.store.read(work).await?)
    }

    /// Changes something in one transaction; what servers remember is forgotten.
    pub(crate) async fn change<R: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<R, Refusal> + Send + 'static,
    ) -> Result<R, Trouble> {
        Ok(admin::change(&self.app, work).await?)
    }

    /// The frame of a page.
    pub(crate) fn shell(&self) -> Shell {
        Shell {
            team: self.team.name.clone(),
            who: portreeve_console::Who {
                name: self.who.name.clone(),
                level: shown(self.who.level.unwrap_or(Level::User)),
            },
            sections: Section::ALL
                .into_iter()
                .filter(|section| self.may(needed(*section)))
                .filter(|section| *section != Section::Visitors || self.has_visitors)
                .collect(),
            position: self.position,
            needs_attention: 0,
            flash: self.flash(),
        }
    }

    /// A page.
    pub(crate) fn page(&self, page: &impl Page) -> Response {
        self.page_as(StatusCode::OK, page)
    }

    /// A page that says with its status that something was wrong.
    pub(crate) fn page_as(&self, status: StatusCode, page: &impl Page) -> Response {
        let mut response = page::html(status, page.html());
        if cookie(&self.headers, FLASH).is_some()
            && let Some(gone) = set_cookie(FLASH, "", 0)
        {
            response.headers_mut().append(SET_COOKIE, gone);
        }
        response
    }

    /// The page, or that of what went wrong.
    pub(crate) fn answer(&self, page: Result<impl Page, Trouble>) -> Response {
        self.or_trouble(page.map(|page| self.page(&page)))
    }

    /// A form again, which says what was wrong with what was sent.
    pub(crate) fn again(&self, page: &impl Page) -> Response {
        self.page_as(StatusCode::UNPROCESSABLE_ENTITY, page)
    }

    /// Goes on to another page, which says what was done.
    pub(crate) fn done(&self, to: &portreeve_console::Address, said: &str) -> Response {
        let value = URL_SAFE_NO_PAD.encode(said);
        page::see(&to.to_string(), set_cookie(FLASH, &value, FLASH_S))
    }

    /// The page of something that went wrong.
    pub(crate) fn trouble(&self, trouble: &Trouble) -> Response {
        trouble.within(self)
    }

    /// The answer, or the page of what went wrong.
    pub(crate) fn or_trouble(&self, done: Result<Response, Trouble>) -> Response {
        done.unwrap_or_else(|trouble| self.trouble(&trouble))
    }

    fn flash(&self) -> Option<Flash> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie(&self.headers, FLASH)?).ok()?;
        let text = String::from_utf8(bytes)
            .ok()
            .filter(|text| !text.is_empty())?;
        Some(Flash {
            tone: Tone::Good,
            text,
        })
    }
}

/// What one needs to see an entry of the navigation.
fn needed(section: Section) -> Permission {
    match section {
        Section::Overview | Section::Directories => Permission::DirectoryRead,
        Section::Users => Permission::UserRead,
        Section::Groups => Permission::GroupRead,
        Section::Hosts => Permission::HostRead,
        Section::Access => Permission::GrantRead,
        Section::Certificates => Permission::CertificateRead,
        Section::Visitors => Permission::VisitorRead,
        Section::Logs => Permission::EventRead,
        Section::Settings => Permission::SettingsRead,
        Section::Me => Permission::Oneself,
    }
}

/// A level as pages show it.
pub(crate) fn shown(level: Level) -> Shown {
    match level {
        Level::Owner => Shown::Owner,
        Level::Admin => Shown::Admin,
        Level::Auditor => Shown::Auditor,
        Level::User => Shown::User,
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        self.alone()
    }
}
