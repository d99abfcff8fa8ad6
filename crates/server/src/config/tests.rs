use super::*;
use std::time::Duration;

fn values(
    flags: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: &str,
) -> Result<Values, ConfigError> {
    let flags = flags
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let env = |name: &str| {
        env.iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| (*value).to_owned())
    };
    gather(&flags, env, Some((Path::new("/etc/p.toml"), file)))
}

fn config(values: &Values) -> Result<Config, ConfigError> {
    Config::from_values(values, |_| None)
}

#[test]
fn flags_beat_environment_beats_file() {
    let file = "listen = \"127.0.0.1:1\"\npublic-url = \"http://file\"\nlog = \"debug\"";
    let got = values(
        &[("listen", "127.0.0.1:3")],
        &[
            ("PORTREEVE_LISTEN", "127.0.0.1:2"),
            ("PORTREEVE_PUBLIC_URL", "http://env/"),
        ],
        file,
    )
    .unwrap();
    assert_eq!(got["listen"], ("127.0.0.1:3".into(), Origin::Flag));
    assert_eq!(
        got["public-url"],
        (
            "http://env/".into(),
            Origin::Environment("PORTREEVE_PUBLIC_URL")
        )
    );
    assert_eq!(
        got["log"],
        ("debug".into(), Origin::File("/etc/p.toml".into()))
    );
    assert_eq!(
        config(&got).unwrap().public_url.as_deref(),
        Some("http://env")
    );
}

#[test]
fn the_log_is_kept_for_days_or_forever() {
    let kept = |file| {
        let values = values(&[], &[], file).unwrap();
        let retention = config(&values).unwrap().retention;
        let days = |kept: Option<Duration>| kept.map(|kept| kept.as_secs() / 86_400);
        [
            retention.audit,
            retention.requests,
            retention.provisioning,
            retention.visits,
        ]
        .map(days)
    };
    assert_eq!(kept(""), [Some(400), Some(30), Some(30), Some(90)]);
    let file = "retention-audit = \"forever\"\nretention-requests = 7\nretention-provisioning = 90\nretention-visits = 14";
    assert_eq!(kept(file), [None, Some(7), Some(90), Some(14)]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn wrong_values_name_the_setting_and_the_remedy() {
    for (name, file, expect) in [
        ("unknown setting", "lisen = \"x\"", "lisen"),
        ("no TOML", "listen", "not valid TOML"),
        ("no address", "listen = \"localhost\"", "127.0.0.1:8460"),
        (
            "no database",
            "database = \"mysql://ann:secret@x\"",
            "sqlite:///absolute/path",
        ),
        (
            "relative database",
            "database = \"sqlite://x\"",
            "absolute path",
        ),
        (
            "no URL",
            "public-url = \"portreeve.example.com\"",
            "https://portreeve.example.com",
        ),
        (
            "another scheme",
            "public-url = \"ftp://portreeve.example.com\"",
            "https://portreeve.example.com",
        ),
        ("no host", "public-url = \"https:///x\"", "such as"),
        ("an account", "public-url = \"https://a:b@x\"", "such as"),
        ("a query", "public-url = \"https://x/?a=b\"", "without ?"),
        ("a fragment", "public-url = \"https://x/#a\"", "or #"),
        ("a quote", "public-url = 'https://x/\"y'", "such as"),
        ("a backslash", "public-url = 'https://x\\y'", "such as"),
        ("a line break", "public-url = \"https://x/\\ny\"", "such as"),
        ("a bell", "public-url = \"https://x/\\u0007\"", "such as"),
        (
            "a port that is none",
            "public-url = \"https://x:y\"",
            "such as",
        ),
        (
            "no CA address",
            "ca-listen = \"yes\"",
            "127.0.0.1:8461, or none",
        ),
        ("a CA without TLS", "ca-url = \"http://ca\"", "https://ca."),
        (
            "a CA below a path",
            "ca-url = \"https://x/ca\"",
            "host alone",
        ),
        (
            "no number of days",
            "retention-audit = \"400d\"",
            "from 1 to 36500, or forever",
        ),
        ("no days at all", "retention-requests = 0", "or forever"),
        (
            "no whole path",
            "applications-files = \"sources\"",
            "the whole path",
        ),
        ("none at once", "applications-at-once = 0", "from 1 to 64"),
        (
            "nobody whom mails come from",
            "smtp-server = \"smtp://localhost\"",
            "smtp-from",
        ),
        (
            "neither yes nor no",
            "applications-private-addresses = \"maybe\"",
            "yes or no",
        ),
        (
            "no proxy address",
            "trusted-proxies = [\"10.0.0.1\", \"proxy\"]",
            "\"proxy\" is not an IP address",
        ),
        (
            "no rate",
            "rate-limit-token = \"much\"",
            "rate-limit-token (file /etc/p.toml) is \"much\": give a whole number",
        ),
        (
            "a rate below none",
            "rate-limit-address = -1",
            "from 0 to 1000000",
        ),
        ("no requests", "max-requests = 0", "from 1 to 1000000"),
        (
            "a time with a unit",
            "request-timeout = \"30s\"",
            "from 1 to 3600",
        ),
    ] {
        let error = values(&[], &[], file)
            .and_then(|values| config(&values).map(drop))
            .unwrap_err();
        assert!(error.to_string().contains(expect), "{name}: {error}");
    }
}

#[test]
fn the_certificate_authority_listens_beside_the_rest() {
    let step = |file| config(&values(&[], &[], file).unwrap()).unwrap().step;
    let at = |address: &str| Some(address.parse().unwrap());
    for (name, file, listen, asked) in [
        ("as usual", "", at("127.0.0.1:8461"), false),
        ("any port", "listen = \"[::1]:0\"", at("127.0.0.1:0"), false),
        (
            "elsewhere",
            "ca-listen = \"0.0.0.0:443\"",
            at("0.0.0.0:443"),
            true,
        ),
        ("nowhere", "ca-listen = \"none\"", None, true),
    ] {
        let step = step(file);
        assert_eq!((step.at.listen, step.at.asked), (listen, asked), "{name}");
    }
    let url = step("ca-url = \"https://ca.example.com/\"").url;
    assert_eq!(url.as_deref(), Some("https://ca.example.com"));
}

#[test]
fn what_nobody_limits_has_the_usual_limits() {
    let load = |file| config(&values(&[], &[], file).unwrap()).unwrap().load;
    assert_eq!(load(""), Load::default());
    let file =
        "rate-limit-token = 0\nrate-limit-address = 7\nmax-requests = \"8\"\nrequest-timeout = 9";
    let expected = Load {
        token_rate: 0,
        address_rate: 7,
        requests: 8,
        timeout: Duration::from_secs(9),
    };
    assert_eq!(load(file), expected);
    for (name, text) in [
        ("rate-limit-token", Load::default().token_rate.to_string()),
        (
            "rate-limit-address",
            Load::default().address_rate.to_string(),
        ),
        ("max-requests", Load::default().requests.to_string()),
        (
            "request-timeout",
            Load::default().timeout.as_secs().to_string(),
        ),
    ] {
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.name == name)
            .unwrap();
        assert_eq!(setting.default, text, "{name}");
    }
}

#[test]
fn the_password_of_a_database_is_in_no_message() {
    let url = "postgres://ann:secret@db.example/roll";
    let shown = |config: &Config| {
        let setting = SETTINGS.iter().find(|setting| setting.name == "database");
        format!("{config:?} {}", config.show(setting.unwrap()).0)
    };
    let good = config(&values(&[("database", url)], &[], "").unwrap()).unwrap();
    assert!(shown(&good).contains("db.example"), "{}", shown(&good));
    assert!(!shown(&good).contains("secret"), "{}", shown(&good));
    for wrong in [
        "mysql://ann:secret@db.example/roll",
        "postgres://ann:secret@db.example:port/roll",
        "postgres://ann:secret@db.example/roll?nonsense=1",
        "ann:secret@db.example/roll",
    ] {
        let values = values(&[("database", wrong)], &[], "").unwrap();
        let error = config(&values).unwrap_err().to_string();
        assert!(error.contains("database (flag)"), "{wrong}: {error}");
        assert!(!error.contains("secret"), "{wrong}: {error}");
    }
}
