# The first process of a machine in namespaces: puts its file system together, starts what every Linux server has, and
# waits until nobody holds the other end of its input. When it ends, the kernel ends every process of the machine, and
# with the last of them go its mounts and all it has ever written.
#
# Started by `unshare --mount --pid --uts --fork`, with the machine's name and the port of its OpenSSH server.
#
# The machine has the programs of the system it runs on (/usr), and a fresh Debian's settings: what somebody has set on
# the system beneath is not what a host is judged by. Whatever is written goes to memory.
set -eu
name=$1 port=$2
homes=/home
# Of the system beneath, because /proc is still its own.
read -r pid _ </proc/self/stat

mount --make-rprivate /
mount -t tmpfs -o mode=0755,size=512m machine /mnt
cd /mnt
mkdir -p dev etc home old proc root run/sshd tmp usr var/empty var/lib/sudo var/log var/mail var/spool var/tmp .etc/upper .etc/work .usr/upper .usr/work
chmod 0700 root
chmod 1777 tmp var/tmp
ln -s ../run var/run
for folder in /bin /sbin /lib*; do
    if [ -L "$folder" ]; then cp -P "$folder" .; fi
done
for folder in etc usr; do
    mount -t overlay -o "lowerdir=/$folder,upperdir=.$folder/upper,workdir=.$folder/work" overlay "$folder"
done
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
mount -t proc proc proc
pivot_root . old
cd /
umount -l /old
rmdir /old

echo "$name" >/proc/sys/kernel/hostname
cd /etc
rm -rf ssh ssl/private cron.d/* sudoers.d/* profile.d/*
echo "$name" >hostname
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >hosts
printf '%s: files systemd\n' passwd group shadow gshadow >nsswitch.conf
echo 'hosts: files' >>nsswitch.conf

# Accounts of the system's own, and one person who is here whatever happens elsewhere: the way in when all else fails.
awk -F: '$3 < 1000 || $3 == 65534' passwd >passwd.new
awk -F: '$3 < 1000 || $3 == 65534' group | sed 's/:[^:]*$/:/' >group.new
awk -F: '{ print $1 ":*:20000::::::" }' passwd.new >shadow.new
echo "warden:x:1000:1000:Break-glass account:$homes/warden:/bin/bash" >>passwd.new
echo 'warden:x:1000:' >>group.new
echo 'warden:*:20000::::::' >>shadow.new
chmod 0640 shadow.new
rm -f gshadow passwd- group- shadow- gshadow- subuid subgid
mv passwd.new passwd
mv group.new group
mv shadow.new shadow
mkdir -p "$homes/warden/.ssh"
chown -R 1000:1000 "$homes/warden"
echo 'warden ALL=(ALL:ALL) NOPASSWD: ALL' >sudoers.d/warden
chmod 0440 sudoers.d/warden

mkdir -p ssh/sshd_config.d
cp /usr/share/openssh/sshd_config ssh/
ssh-keygen -q -t ed25519 -N '' -C "root@$name" -f ssh/ssh_host_ed25519_key
cat >ssh/sshd_config.d/00-machine.conf <<END
ListenAddress 127.0.0.1
Port $port
LogLevel VERBOSE
MaxStartups 200
END

# As Debian's and Ubuntu's rsyslog writes it, without the kernel's messages, which are the system's beneath.
cat >rsyslog.conf <<END
module(load="imuxsock")
auth,authpriv.* action(type="omfile" file="/var/log/auth.log" sync="off")
END
rsyslogd -n >/dev/null 2>&1 </dev/null &
while ! [ -S /dev/log ]; do sleep 0.01; done
/usr/sbin/sshd </dev/null
tries=0
while ! [ -s /run/sshd.pid ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 500 ]; then
        cat /var/log/auth.log
        exit 1
    fi
    sleep 0.01
done

echo "machine $pid"
exec 3<&0 </dev/null >/dev/null 2>&1
cat <&3 &
# Waiting for one it also hears of all the others that end here and are nobody's.
wait $!
