//! How the people of a directory sign in: the connection to the provider, its doctor, and a trial.

use super::connect::step;
use super::{detail, head};
use crate::admin::connections::{self, ConnectionView, Examined, NewConnection, TrialResult};
use crate::admin::directories::DirectoryDetail;
use crate::console::form::Form;
use crate::console::trouble::Trouble;
use crate::console::visit::Visit;
use crate::sso::doctor::Verdict;
use crate::sso::providers::redirect_uri;
use crate::sso::trial::Brought;
use axum::body::Body;
use axum::response::Response;
use portreeve_console::Address;
use portreeve_console::pages::directories::{Probe, SignIn, Trial};
use portreeve_console::parts::{
    Alert, Choice, Confirm, Copyable, Fact, Facts, Field, Form as Input, Link, PostButton, Tone,
};
use portreeve_directory::connections::Match;
use portreeve_directory::directories::Provider;
use portreeve_directory::{Permission, Refusal};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// By what else than a stable key people can be found, with what that means.
const MATCHES: &[(Match, &str, &str, &str)] = &[
    (
        Match::Subject,
        "subject",
        "The subject that the provider gives",
        "The claim sub equals externalId. For providers that send the same id by both ways.",
    ),
    (
        Match::Email,
        "email",
        "The e-mail address",
        "The claim email. Only for a provider that lets nobody choose their own address.",
    ),
    (
        Match::UserName,
        "user_name",
        "The user name",
        "The claim preferred_username equals userName.",
    ),
];

/// The connection of a directory.
pub(in crate::console) async fn show(visit: Visit) -> Response {
    let shown = async {
        let detail = detail(&visit).await?;
        let known = known(&visit, &detail).await?;
        Ok(visit.page(&page(&visit, &detail, known.as_ref(), None)))
    };
    visit.or_trouble(shown.await)
}

async fn known(visit: &Visit, detail: &DirectoryDetail) -> Result<Option<ConnectionView>, Trouble> {
    match connections::get(&visit.app, &visit.admin, &detail.directory.id).await {
        Ok(view) => Ok(Some(view)),
        Err(Refusal::NotFound(..)) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Makes the connection, or changes it.
pub(in crate::console) async fn save(visit: Visit, body: Body) -> Response {
    let done = async {
        let form = visit.form(body).await?;
        let detail = detail(&visit).await?;
        let id = &detail.directory.id;
        match connections::put(&visit.app, &visit.admin, id, wanted(&form)).await {
            Ok(_) => {
                let back = head(&visit, &detail).href.join("sign-in").at("test");
                Ok(visit.done(&back, "The connection is saved. Now test it."))
            }
            Err(refusal) => {
                let problem = Trouble::from(refusal).problem()?;
                let known = known(&visit, &detail).await?;
                let mut page = page(&visit, &detail, known.as_ref(), Some(&form));
                page.problem = Some(problem);
                Ok(visit.again(&page))
            }
        }
    };
    visit.or_trouble(done.await)
}

fn wanted(form: &Form) -> NewConnection {
    let words = |text: &str| -> Vec<String> {
        let split = text.split(|c: char| c == ',' || c.is_whitespace());
        split
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let chosen: Vec<&str> = form.all("match_by").collect();
    let matches = MATCHES
        .iter()
        .filter(|(_, value, _, _)| chosen.contains(value));
    NewConnection {
        label: form.filled("label"),
        metadata_url: form.text("metadata_url").to_owned(),
        client_id: form.text("client_id").to_owned(),
        // What is left empty stays as it is.
        client_secret: form
            .filled("client_secret")
            .map(|secret| Some(SecretString::from(secret))),
        tenant_id: form.filled("tenant_id"),
        domains: words(form.text("domains")),
        match_by: matches.map(|(by, ..)| *by).collect(),
    }
}

/// Examines the connection, and begins a trial.
pub(in crate::console) async fn test(visit: Visit) -> Response {
    let shown = async {
        let detail = detail(&visit).await?;
        let known = known(&visit, &detail).await?;
        let examined = connections::test(&visit.app, &visit.admin, &detail.directory.id).await?;
        let mut page = page(&visit, &detail, known.as_ref(), None);
        page.trial = Some(Trial::Begin {
            url: Copyable::new("trial address", examined.trial.url.0.expose_secret()),
            look: look(&page.head.href, examined.trial.secret.0.expose_secret()),
        });
        page.probe = Some(found(&examined));
        Ok(visit.page(&page))
    };
    visit.or_trouble(shown.await)
}

fn look(href: &Address, secret: &str) -> PostButton {
    PostButton {
        action: href.clone().join("sign-in").join("trial").at("test"),
        label: "Look at the result".to_owned(),
        values: vec![("secret", secret.to_owned())],
        class: "primary",
    }
}

fn found(examined: &Examined) -> Probe {
    let summary = match examined.verdict {
        Verdict::Ok => Alert::new(Tone::Good, "The connection is well", "Now try a sign-in."),
        Verdict::Warn => Alert::new(
            Tone::Warn,
            "The connection may work",
            "Look at what is marked, then try a sign-in.",
        ),
        Verdict::Fail => Alert::new(
            Tone::Bad,
            "Nobody can sign in",
            "Mend what failed, and test again.",
        ),
    };
    Probe {
        summary,
        steps: examined.steps.iter().map(step).collect(),
    }
}

/// What became of a trial.
pub(in crate::console) async fn trial(visit: Visit, body: Body) -> Response {
    let shown = async {
        let form = visit.form(body).await?;
        let detail = detail(&visit).await?;
        let known = known(&visit, &detail).await?;
        let secret = form.text("secret");
        let brought =
            connections::trial(&visit.app, &visit.admin, &detail.directory.id, secret).await?;
        let mut page = page(&visit, &detail, known.as_ref(), None);
        page.trial = Some(match brought {
            TrialResult::Done(brought) => done(&page.head.href, &brought),
            TrialResult::Pending => {
                let wait = Alert::new(
                    Tone::Info,
                    "Nobody has come back yet",
                    "Open the address, sign in there, then look again.",
                );
                page.problem = Some(wait);
                let url = format!(
                    "{}/auth/openid/start?trial={secret}",
                    visit.app.public_url()
                );
                Trial::Begin {
                    url: Copyable::new("trial address", url),
                    look: look(&page.head.href, secret),
                }
            }
        });
        Ok(visit.page(&page))
    };
    visit.or_trouble(shown.await)
}

fn done(href: &Address, brought: &Brought) -> Trial {
    let summary = match (&brought.user, &brought.refused) {
        (Some(user), None) => {
            let by = user.by.replace('_', " ");
            let alert = Alert::new(
                Tone::Good,
                format!("This is {}", user.name),
                format!("Found by {by}. They would have been signed in."),
            );
            let directory = href.path().rsplit('/').next().unwrap_or_default();
            let page = Address::new("/console/users")
                .join(directory)
                .join(&user.id);
            alert.link(Link::new("The user", page))
        }
        (_, Some(refused)) => Alert::new(
            Tone::Bad,
            "Nobody would have been signed in",
            format!("{} ({})", refused.detail, refused.code),
        ),
        (None, None) => Alert::new(
            Tone::Warn,
            "Nobody was found",
            "The provider let the person in, and no user here matches.",
        ),
    };
    let claims = brought.claims.iter().map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Fact::text(name.clone(), text)
    });
    Trial::Done {
        summary,
        claims: Facts(claims.collect()),
    }
}

/// Removes the connection.
pub(in crate::console) async fn delete(visit: Visit) -> Response {
    let done = async {
        let detail = detail(&visit).await?;
        connections::delete(&visit.app, &visit.admin, &detail.directory.id).await?;
        let back = head(&visit, &detail).href.join("sign-in");
        Ok(visit.done(
            &back,
            "The connection is removed. Who is signed in stays so.",
        ))
    };
    visit.or_trouble(done.await)
}

fn page(
    visit: &Visit,
    detail: &DirectoryDetail,
    known: Option<&ConnectionView>,
    sent: Option<&Form>,
) -> SignIn {
    let head = head(visit, detail);
    let may_change = visit.may(Permission::ConnectionWrite);
    let here = head.href.clone().join("sign-in");
    SignIn {
        shell: visit.shell(),
        problem: None,
        is_connected: known.is_some(),
        redirect_uri: Copyable::new("redirect URI", redirect_uri(&visit.app)),
        sign_in_url: known.map(|view| Copyable::new("sign-in address", view.sign_in_url.clone())),
        fields: fields(detail.directory.provider, known, sent),
        may_change,
        test: (may_change && known.is_some()).then(|| PostButton {
            action: here.clone().join("test").at("test"),
            label: "Examine the connection".to_owned(),
            values: Vec::new(),
            class: "primary",
        }),
        probe: None,
        trial: None,
        delete: (may_change && known.is_some()).then(|| Confirm {
            id: "remove".to_owned(),
            opener: "Remove…".to_owned(),
            title: "Remove the connection?".to_owned(),
            effect: format!(
                "The people of {} cannot sign in any more. Who is signed in stays so.",
                detail.directory.name
            ),
            action: here.join("remove"),
            label: "Remove".to_owned(),
            values: Vec::new(),
            fields: Vec::new(),
            danger: true,
        }),
        head,
    }
}

/// The form, filled in with what was sent, else with what there is.
fn fields(provider: Provider, known: Option<&ConnectionView>, sent: Option<&Form>) -> Vec<Field> {
    let value = |name: &str, of: &dyn Fn(&ConnectionView) -> String| match (sent, known) {
        (Some(form), _) => form.text(name).to_owned(),
        (None, Some(view)) => of(view),
        (None, None) => String::new(),
    };
    let line = |name: &'static str, label: &str, of: &dyn Fn(&ConnectionView) -> String| {
        Field::line("connection", name, label, value(name, of))
    };
    let is_entra = provider == Provider::Entra;
    let (example, where_) = match is_entra {
        true => (
            "https://login.microsoftonline.com/<tenant id>/v2.0/.well-known/openid-configuration",
            "In Entra: App registrations → your application → Endpoints → OpenID Connect metadata document.",
        ),
        false => (
            "https://id.example.com/.well-known/openid-configuration",
            "The address of the provider's OpenID configuration.",
        ),
    };
    let secret = Field::new(
        "connection",
        "client_secret",
        "Client secret",
        Input::Password,
    );
    let secret = match known.is_some_and(|view| view.has_client_secret) {
        true => secret.help("Leave it empty to keep the one there is."),
        false => secret
            .help("In Entra: Certificates & secrets → New client secret; its value, not its id."),
    };
    let chosen = |by: Match, value: &str| match (sent, known) {
        (Some(form), _) => form.all("match_by").any(|one| one == value),
        (None, Some(view)) => view.match_by.contains(&by),
        (None, None) => false,
    };
    let matches = MATCHES.iter().map(|(by, value, label, help)| {
        Choice::new(*value, *label, chosen(*by, value)).help(*help)
    });
    vec![
        line("metadata_url", "Metadata URL", &|view| view.metadata_url.clone()).kind("url").example(example).help(where_).required(),
        line("client_id", "Client id", &|view| view.client_id.clone()).help("In Entra: Application (client) id.").required(),
        secret,
        line("tenant_id", "Tenant id", &|view| view.tenant_id.clone().unwrap_or_default())
            .help("Only people of this tenant get in. Needed where the metadata URL is for several tenants."),
        line("domains", "Allowed domains", &|view| view.domains.join(", "))
            .example("contoso.com, contoso.de")
            .help("Addresses of other domains are refused; empty: all. They also lead people here who sign in by e-mail address."),
        Field::new("connection", "match_by", "How people are found", Input::Any(matches.collect()))
            .help("First by the stable key that the provider also provisions (in Entra: objectId as externalId), then as somebody who signed in before, then by what is chosen here."),
        line("label", "Words on the button", &|view| view.label.clone()).help("“Sign in with …”; without it the name of the directory."),
    ]
}
