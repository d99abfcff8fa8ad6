"""Asks from eight threads and from forks of their process while the files are replaced; counts wrong answers.

Of two generations one is there at any moment: in the first everybody has shell 1 and one group, in the second shell 2
and another group. Every answer must be of one of them, and nobody may be missing.
"""

import grp
import os
import pwd
import threading

FOLDER = "/run/portreeve-host/nss"
PEOPLE = 400
ROUNDS = 400
FORKS = 40


def generation(number):
    names = [f"p{person:03}" for person in range(PEOPLE)]
    passwd = "".join(f"{name}:x:{80000 + at}:{80000 + at}::/srv/{name}:/bin/{number}\n" for at, name in enumerate(names))
    group = f"team-{number}:*:{90000 + number}:{','.join(names)}\n"
    return {"passwd": passwd, "group": group}


def replace(files):
    for name, text in files.items():
        with open(f"{FOLDER}/{name}.new", "w") as file:
            file.write(text)
        os.rename(f"{FOLDER}/{name}.new", f"{FOLDER}/{name}")


def ask(person):
    """What is wrong about one person."""
    name, uid = f"p{person:03}", 80000 + person
    by_name, by_uid = pwd.getpwnam(name), pwd.getpwuid(uid)
    if by_name.pw_uid != uid or by_uid.pw_name != name:
        return f"{name} is {by_name} and {by_uid}"
    if {by_name.pw_shell, by_uid.pw_shell} - {"/bin/1", "/bin/2"}:
        return f"{name} has the shell {by_name.pw_shell}"
    if os.getgrouplist(name, uid) not in ([uid, 90001], [uid, 90002]):
        return f"{name} is in {os.getgrouplist(name, uid)}"
    return None


def whole():
    """What is wrong about everybody: an enumeration shows one generation."""
    ours = [entry for entry in pwd.getpwall() if entry.pw_uid >= 80000 and entry.pw_name != "nobody"]
    if len(ours) != PEOPLE or len({entry.pw_shell for entry in ours}) != 1:
        return f"an enumeration has {len(ours)} people of {len({entry.pw_shell for entry in ours})} generations"
    groups = [entry for entry in grp.getgrall() if entry.gr_gid in (90001, 90002)]
    if len(groups) != 1 or len(groups[0].gr_mem) != PEOPLE:
        return f"an enumeration has {len(groups)} groups"
    return None


def guarded(question, *words):
    try:
        return question(*words)
    except KeyError as error:
        return f"nobody: {error}"


generations = [generation(1), generation(2)]
replace(generations[0])
wrong, over = [], threading.Event()


def replacer():
    at = 0
    while not over.is_set():
        at = 1 - at
        replace(generations[at])


def asker(thread):
    for turn in range(ROUNDS):
        wrong.append(guarded(ask, (thread * 53 + turn * 7) % PEOPLE))


def forker():
    for turn in range(FORKS):
        child = os.fork()
        if child == 0:
            said = [guarded(ask, (turn * 11 + more) % PEOPLE) for more in range(10)]
            os._exit(any(said))
        wrong.append(os.waitpid(child, 0)[1] and "a fork was answered wrongly")
        wrong.append(guarded(whole))


busy = threading.Thread(target=replacer)
busy.start()
threads = [threading.Thread(target=asker, args=(thread,)) for thread in range(8)] + [threading.Thread(target=forker)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
over.set()
busy.join()
wrong = [answer for answer in wrong if answer]
for answer in wrong[:10]:
    print(answer)
print(len(wrong), "wrong")
