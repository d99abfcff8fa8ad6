# Sourced by the tests of the package: a copy of this system, cases, and what is on the copy.

passed=0 failed=0
units=(portreeve-host-boot.service portreeve-host-apply.socket portreeve-host-apply.service portreeve-host-net.service)

# Runs itself again in namespaces of its own, with the words that follow.
in_namespaces() {
    if [[ $(id -u) -ne 0 ]]; then
        echo "It needs root, to make a copy of this system in namespaces. Run it with sudo."
        exit 1
    fi
    exec unshare --mount --pid --uts --ipc --fork --mount-proc -- "$BASH" "$@"
}

# Makes a copy of this system at /mnt/root, with the package and the program in /test. Everything that is written goes to
# memory, and is gone with the namespace.
copy_system() {
    mount --make-rprivate /
    mount -t tmpfs -o mode=0755 copy /mnt
    mkdir /mnt/upper /mnt/work /mnt/root
    mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
    mkdir -p /mnt/root/test
    cp "$1" /mnt/root/test/package.deb
    cp "$2" /mnt/root/test/portreeve
    cp "$here"/test "$here"/test-booted "$here"/copy.sh /mnt/root/test/
}

# Runs a case: a name and a command, which ends at its first failure. What it said is shown then.
check() {
    local name=$1 code
    shift
    set +e
    (set -e; "$@") >said 2>&1
    code=$?
    set -e
    if [[ $code -eq 0 ]]; then
        passed=$((passed + 1))
        echo "ok    $name"
    else
        failed=$((failed + 1))
        echo "FAIL  $name"
        sed 's/^/      /' said
    fi
}

# Whether a command fails. Bash takes a failed `! …` for no failure of a case.
not() { if "$@"; then return 1; fi; }

# Waits until a command succeeds, 20 seconds at most.
eventually() {
    local tries=0
    until "$@" >last 2>&1; do
        tries=$((tries + 1))
        if [[ $tries -gt 200 ]]; then
            cat last
            return 1
        fi
        sleep 0.1
    done
}

# All files with what they are, without what dpkg and the linker keep about files.
listing() {
    find /etc /usr /var /home /root -xdev \
        ! -path '/var/lib/dpkg*' ! -path '/var/log*' ! -path '/var/cache*' ! -path /etc/ld.so.cache \
        \( -type d -printf '%p %m %u %g\n' -o -printf '%p %m %u %g %s %l\n' \) | LC_ALL=C sort
}

etc() { find /etc -xdev -type f ! -path /etc/ld.so.cache -exec sha256sum {} + | LC_ALL=C sort -k 2; }

as_before() { diff before <(listing); }
etc_as_before() { diff etc.before <(etc); }
changed() { not diff etc.before <(etc) && test -e /etc/ssh/sshd_config.d/10-portreeve.conf; }

# On free ports of the loopback interface, which the copy shares with the system.
serve() {
    ./portreeve serve --data data --listen 127.0.0.1:0 --ca-listen 127.0.0.1:0 >server.log 2>&1 </dev/null &
    echo $! >server.pid
    eventually portreeve host list || { cat server.log; return 1; }
}

# The command line of that server.
portreeve() { ./portreeve --data data "$@"; }

enroll() {
    etc >etc.before
    portreeve host token create --name "a copy" --replace -o json >token.json
    # In the environment: what stands on a command line everybody can read.
    PORTREEVE_HOST_TOKEN=$(jq -r .secret token.json) portreeve-host enroll --name copy-1 "$@"
}
