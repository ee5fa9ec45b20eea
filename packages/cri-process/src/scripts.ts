/*
 * The fixed shell programs that stand between the agent and a container's command. What varies (paths, the command itself)
 * comes as positional parameters or files, never as text of a program.
 *
 * They exist because a container must outlive the agent: the supervising shell (about 1 MB) waits for the command and writes
 * down its exit code, whoever is there to read it. It catches signals with an empty handler, because what a shell ignores its
 * children would ignore too.
 */

/** `$1` the container's folder, then the command. Waits for it and writes `exit`. */
export const SUPERVISE = `
dir=$1; shift
trap : TERM INT HUP
if [ -p "$dir/stdin" ]; then
  [ -e "$dir/stdin-once" ] || exec 9<>"$dir/stdin"
  "$@" <"$dir/stdin" 9>&-
else
  "$@"
fi
code=$?
printf '%s\\n' "$code" >"$dir/exit.tmp" && mv "$dir/exit.tmp" "$dir/exit"
`;

/** The same under a terminal that \`script\` made: standard input is the terminal already, its path goes to \`tty\`. */
export const SUPERVISE_TTY = `
dir=$1; shift
trap : TERM INT HUP
tty >"$dir/tty"
"$@"
code=$?
printf '%s\\n' "$code" >"$dir/exit.tmp" && mv "$dir/exit.tmp" "$dir/exit"
`;

/** Writes \`pid\`, and becomes the command. \`$1\` folder, \`$2\` working directory, then the command. */
export const ENTER_PLAIN = `
dir=$1; cwd=$2; shift 2
cd "$cwd" || { echo "working directory $cwd does not exist" >"$dir/setup.log"; exit 128; }
printf '%s\\n' "$$" >"$dir/pid.tmp" && mv "$dir/pid.tmp" "$dir/pid"
exec "$@"
`;

/**
 * Builds the container's view of the file system in a private mount namespace, writes `pid`, and becomes the command.
 * The view is the host's files, with volumes at whatever path the pod names; what the container writes outside its volumes is
 * kept in memory.
 *
 * `$1` folder, `$2` working directory, `$3` how the root is made, then steps: `bind PATH` (a host mount shown as it is),
 * `dir SOURCE TARGET ro|rw`, `file SOURCE TARGET ro|rw`, `cwd PATH`, `readonly` (the root), then `--` and the command.
 *
 * - `overlay` (root): a writable layer over the host's root.
 * - `skeleton` (user namespace): there the kernel lets nobody put a layer over the whole root, nor make entries in folders of
 *   unmapped users. So the root is made of the host's top folders, and a folder that needs a new entry is replaced by one with
 *   links to everything the host has in it.
 */
export const ENTER_ISOLATED = `
set -e
dir=$1; cwd=$2; kind=$3; shift 3
exec 8>&2 2>"$dir/setup.log"
base=$dir/rootfs
mount -t tmpfs -o mode=0755 orrery "$base"
mkdir "$base/upper" "$base/work" "$base/root"
root=$base/root
if [ "$kind" = overlay ]; then
  mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$root"
  mount --rbind /proc "$root/proc"
  mount --rbind /sys "$root/sys"
else
  for entry in /*; do
    [ "$entry" != /dev ] || continue
    if [ -L "$entry" ]; then ln -s "$(readlink "$entry")" "$root$entry"
    elif [ -d "$entry" ]; then mkdir "$root$entry"; mount --rbind "$entry" "$root$entry"
    fi
  done
  mkdir "$root/dev" "$root/.orrery"
fi
mount -t tmpfs -o mode=0755 orrery-dev "$root/dev"
for name in null zero full random urandom tty fuse net; do
  [ -e "/dev/$name" ] || continue
  if [ -d "/dev/$name" ]; then mkdir "$root/dev/$name"; else : >"$root/dev/$name"; fi
  mount --rbind "/dev/$name" "$root/dev/$name"
done
for name in pts shm mqueue; do
  [ -d "/dev/$name" ] || continue
  mkdir "$root/dev/$name"; mount --rbind "/dev/$name" "$root/dev/$name"
done
ln -s pts/ptmx "$root/dev/ptmx"; ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"; ln -s /proc/self/fd/1 "$root/dev/stdout"; ln -s /proc/self/fd/2 "$root/dev/stderr"
farms=0
# Makes sure that the folder $1 exists inside the root, without a trace on the host.
folder() {
  [ ! -d "$root$1" ] || return 0
  if [ "$kind" = skeleton ]; then
    above=$(dirname "$1")
    while [ ! -d "$root$above" ]; do above=$(dirname "$above"); done
    case $above in
      / | /dev | /dev/*) ;;
      *)
        farms=$((farms + 1))
        mkdir "$root/.orrery/$farms"
        mount --rbind "$root$above" "$root/.orrery/$farms"
        mount -t tmpfs -o mode=0755 orrery "$root$above"
        for entry in "$root/.orrery/$farms"/* "$root/.orrery/$farms"/.[!.]*; do
          [ -e "$entry" ] || [ -L "$entry" ] || continue
          ln -s "/.orrery/$farms/\${entry##*/}" "$root$above/\${entry##*/}"
        done
        ;;
    esac
  fi
  mkdir -p "$root$1"
}
while [ "$1" != -- ]; do
  case $1 in
    # A mount of the host that went away meanwhile is nobody's loss.
    bind) [ ! -e "$2" ] || mount --rbind "$2" "$root$2" || [ ! -e "$2" ]; shift 2 ;;
    dir) folder "$3"; mount --rbind "$2" "$root$3"
      [ "$4" = rw ] || mount -o remount,bind,ro "$root$3"; shift 4 ;;
    file)
      if [ ! -e "$root$3" ]; then
        # A folder beside it is asked for, so that the one that holds the file is one that may be written to.
        folder "$3.orrery"; rmdir "$root$3.orrery"
        : >"$root$3"
      fi
      mount --bind "$2" "$root$3"
      [ "$4" = rw ] || mount -o remount,bind,ro "$root$3"; shift 4 ;;
    cwd) folder "$2"; shift 2 ;;
    readonly) mount -o remount,bind,ro "$root"; shift ;;
    *) echo "unknown step $1" >&2; exit 128 ;;
  esac
done
shift
exec 7>"$dir/pid" 2>&8 8>&-
exec chroot "$root" /bin/sh -c 'cd "$1" || exit 128; shift; printf "%s\\n" "$$" >&7; exec 7>&-; exec "$@"' sh "$cwd" "$@"
`;

/** Tries on a scratch folder (`$1`) what ENTER_ISOLATED needs for a root of the kind `$2`. */
export const PROBE_ISOLATION = `
set -e
mount -t tmpfs -o mode=0755 orrery "$1"
mkdir "$1/upper" "$1/work" "$1/root"
if [ "$2" = overlay ]; then
  mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
  mount --rbind /proc "$1/root/proc"
else
  mkdir "$1/root/usr"; mount --rbind /usr "$1/root/usr"
fi
`;

/** Keeps a terminal (util-linux \`script\`) around the program whose arguments stand in the NUL-separated file \`$ORRERY_ARGV\`. */
export const TTY_COMMAND = 'exec xargs -0 -a "$ORRERY_ARGV" env -u ORRERY_ARGV';

/** The supervisors' `$0`: by it they are known in the process table, and spared when everything else of a container is killed. */
export const SUPERVISOR = 'orrery-supervisor';

/** `$1` a working directory inside the container, then the command. */
export const ENTER_DIRECTORY = 'cd "$1" || exit 128; shift; exec "$@"';
