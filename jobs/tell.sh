# `tell`, by which every script that starts a run says something: it can neither fail nor end the script. A full disk,
# a reader that has gone or a closed output costs the words, not the run.

# The number of what is closed would go to the next file that is opened, and everything that is said into that file.
{ true 3<&0; } 2>/dev/null || exec </dev/null
{ true 3>&1; } 2>/dev/null || exec >/dev/null
{ true 3>&2; } || exec 2>/dev/null

# Caught, not ignored: the programs that the script starts have it as it was.
trap : PIPE

tell() { printf '%s\n' "$*" 2>/dev/null || true; }

# The time, in `now`; by bash itself, which needs no other program.
look_at_clock() { printf -v now '%(%F %T)T' -1; }
