//! All settings, each defined once.

/// One setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its name in the configuration file and as a flag (`--public-url`).
    pub name: &'static str,
    /// Its environment variable.
    pub env: &'static str,
    /// What stands for the value in help texts.
    pub value: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What holds when nobody says anything, for people.
    pub default: &'static str,
}

/// All settings of `portreeve serve`.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "data",
        env: "PORTREEVE_DATA",
        value: "DIR",
        help: "Folder for the embedded database, keys and the local socket",
        default: "/var/lib/portreeve for root with systemd, else $XDG_DATA_HOME/portreeve",
    },
    Setting {
        name: "listen",
        env: "PORTREEVE_LISTEN",
        value: "ADDR",
        help: "Address and port to serve HTTP on; port 0 takes a free one",
        default: "127.0.0.1:8460",
    },
    Setting {
        name: "database",
        env: "PORTREEVE_DATABASE",
        value: "URL",
        help: "Database to use: sqlite:///absolute/path, or postgres://user@host/name for several servers on one database",
        default: "portreeve.sqlite in the data folder",
    },
    Setting {
        name: "public-url",
        env: "PORTREEVE_PUBLIC_URL",
        value: "URL",
        help: "How clients reach this server; stands in tenant URLs and resource locations",
        default: "http:// and the listen address",
    },
    Setting {
        name: "ca-listen",
        env: "PORTREEVE_CA_LISTEN",
        value: "ADDR",
        help: "Address and port for the certificate authority's HTTPS API, which the step client speaks; port 0 takes a free one, none switches it off",
        default: "127.0.0.1:8461",
    },
    Setting {
        name: "ca-url",
        env: "PORTREEVE_CA_URL",
        value: "URL",
        help: "How the step client and hosts reach that API: https:// and a host, without a path",
        default: "https:// and the address it listens on",
    },
    Setting {
        name: "trusted-proxies",
        env: "PORTREEVE_TRUSTED_PROXIES",
        value: "ADDRS",
        help: "Comma-separated addresses of reverse proxies whose X-Forwarded-For, -Proto and -Host count",
        default: "none",
    },
    Setting {
        name: "rate-limit-token",
        env: "PORTREEVE_RATE_LIMIT_TOKEN",
        value: "NUMBER",
        help: "Requests a second with one token; 0 sets no limit",
        default: "2500",
    },
    Setting {
        name: "rate-limit-address",
        env: "PORTREEVE_RATE_LIMIT_ADDRESS",
        value: "NUMBER",
        help: "Requests a second without a valid token from one address; 0 sets no limit",
        default: "50",
    },
    Setting {
        name: "max-requests",
        env: "PORTREEVE_MAX_REQUESTS",
        value: "NUMBER",
        help: "Requests that are worked on at once; further ones are answered 503",
        default: "1024",
    },
    Setting {
        name: "request-timeout",
        env: "PORTREEVE_REQUEST_TIMEOUT",
        value: "SECONDS",
        help: "How long a request may take until its answer begins; then it is answered 503",
        default: "30",
    },
    Setting {
        name: "retention-audit",
        env: "PORTREEVE_RETENTION_AUDIT",
        value: "DAYS",
        help: "How many days the log keeps changes and what admins did: 400, or forever",
        default: "400",
    },
    Setting {
        name: "retention-requests",
        env: "PORTREEVE_RETENTION_REQUESTS",
        value: "DAYS",
        help: "How many days the log keeps refused requests of providers: 30, or forever",
        default: "30",
    },
    Setting {
        name: "retention-provisioning",
        env: "PORTREEVE_RETENTION_PROVISIONING",
        value: "DAYS",
        help: "How many days the provisioning logs of applications are kept: 30, or forever",
        default: "30",
    },
    Setting {
        name: "retention-visits",
        env: "PORTREEVE_RETENTION_VISITS",
        value: "DAYS",
        help: "How many days it is kept who came to see whom: 90, or forever",
        default: "90",
    },
    Setting {
        name: "applications-files",
        env: "PORTREEVE_APPLICATIONS_FILES",
        value: "DIR",
        help: "Folder whose files applications may read as a source",
        default: "none; applications read no files",
    },
    Setting {
        name: "applications-private-addresses",
        env: "PORTREEVE_APPLICATIONS_PRIVATE_ADDRESSES",
        value: "yes|no",
        help: "Whether applications may be on this machine or in private networks",
        default: "no",
    },
    Setting {
        name: "applications-at-once",
        env: "PORTREEVE_APPLICATIONS_AT_ONCE",
        value: "NUMBER",
        help: "Applications that this server provisions at the same time",
        default: "4",
    },
    Setting {
        name: "smtp-server",
        env: "PORTREEVE_SMTP_SERVER",
        value: "URL",
        help: "Mail server: smtp://user@host:587, encrypted with STARTTLS, or smtps://user@host:465",
        default: "none; nobody is sent mail",
    },
    Setting {
        name: "smtp-from",
        env: "PORTREEVE_SMTP_FROM",
        value: "ADDRESS",
        help: "Whom mails come from, such as Portreeve <portreeve@contoso.example>",
        default: "none; needed with smtp-server",
    },
    Setting {
        name: "smtp-password-file",
        env: "PORTREEVE_SMTP_PASSWORD_FILE",
        value: "FILE",
        help: "File that holds the password of the user at the mail server",
        default: "none",
    },
    Setting {
        name: "smtp-ca-file",
        env: "PORTREEVE_SMTP_CA_FILE",
        value: "FILE",
        help: "Certificates (PEM) of the authorities that the mail server's certificate may come from",
        default: "those of the system",
    },
    Setting {
        name: "smtp-encrypted",
        env: "PORTREEVE_SMTP_ENCRYPTED",
        value: "yes|no",
        help: "Whether a connection to smtp:// must be encrypted",
        default: "yes, except to this machine",
    },
    Setting {
        name: "ca-pkcs11-module",
        env: "PORTREEVE_CA_PKCS11_MODULE",
        value: "FILE",
        help: "Library of a PKCS#11 token that makes and holds the keys of the certificate authorities, such as /usr/lib/softhsm/libsofthsm2.so",
        default: "none; they are kept in the database, sealed with the master key",
    },
    Setting {
        name: "ca-pkcs11-token",
        env: "PORTREEVE_CA_PKCS11_TOKEN",
        value: "LABEL",
        help: "Label of that token",
        default: "none; needed with ca-pkcs11-module",
    },
    Setting {
        name: "ca-pkcs11-pin-file",
        env: "PORTREEVE_CA_PKCS11_PIN_FILE",
        value: "FILE",
        help: "File that holds the PIN of that token",
        default: "none; then the PIN is in the variable PORTREEVE_CA_PKCS11_PIN",
    },
    Setting {
        name: "replace-master-key",
        env: "PORTREEVE_REPLACE_MASTER_KEY",
        value: "yes|no",
        help: "Use this folder's master key although the database was used with another one, which is lost; what was sealed with that one must be given again",
        default: "no",
    },
    Setting {
        name: "log-format",
        env: "PORTREEVE_LOG_FORMAT",
        value: "text|json",
        help: "Form of the log on standard error",
        default: "text",
    },
    Setting {
        name: "log",
        env: "PORTREEVE_LOG",
        value: "FILTER",
        help: "What is logged: error, warn, info, debug, or a filter such as portreeve_server=debug",
        default: "info",
    },
];
