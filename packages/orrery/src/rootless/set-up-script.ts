/** What is put in order in a user's namespaces, once: as root there, by a shell. */
export const setUpScript = (resolvConf: string | undefined): string => `set -e
ip link set lo up
# Network namespaces of pods have their names here; a user cannot make this folder on the machine.
if [ -d /run/netns ]; then
  mount -t tmpfs -o mode=755 tmpfs /run/netns
else
  mount --rbind /run /mnt
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/netns
  for each in /mnt/* /mnt/.[!.]*; do
    name=\${each##*/}
    if [ -L "$each" ]; then cp -P "$each" /run/
    elif [ -d "$each" ]; then mkdir "/run/$name" && mount --rbind "$each" "/run/$name"
    elif [ -e "$each" ]; then : >"/run/$name" && mount --bind "$each" "/run/$name"
    fi
  done
  umount -l /mnt
fi
# crun refuses a machine that has both versions of control groups; none of them can be written here.
[ ! -e /sys/fs/cgroup/unified ] || mount -t tmpfs -o ro,mode=755 tmpfs /sys/fs/cgroup/unified
${resolvConf === undefined ? '' : `mount --bind '${resolvConf.replaceAll("'", "'\\''")}' /etc/resolv.conf`}
`;
