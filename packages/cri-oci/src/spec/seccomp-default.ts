import type { OciSeccomp, OciSeccompRule } from './oci.ts';

const words = (lines: readonly string[]): readonly string[] => lines.flatMap((line) => line.split(' '));

/** What ordinary programs call. Names of one architecture are skipped by the runtime on the others. */
const always = words([
  'accept accept4 access adjtimex alarm arch_prctl arm_fadvise64_64 arm_sync_file_range bind brk breakpoint cacheflush cachestat capget capset',
  'chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep',
  'clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old',
  'epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64',
  'fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr',
  'flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64',
  'futex_wait futex_waitv futex_wake futimesat get_mempolicy getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid',
  'getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid',
  'getresuid32 getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid getuid32 getxattr',
  'getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents',
  'io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self',
  'lchown lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64',
  'madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect',
  'mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget',
  'msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open openat openat2 pause pidfd_open',
  'pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64',
  'process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg',
  'recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall riscv_flush_icache',
  'riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait',
  'rt_sigtimedwait_time64 rt_tgsigqueueinfo s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr sched_getaffinity sched_getattr',
  'sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64',
  'sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop',
  'semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups',
  'setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit',
  'set_robust_list setsid setsockopt set_thread_area set_tid_address set_tls setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget',
  'shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx',
  'swapcontext symlink symlinkat sync sync_file_range sync_file_range2 syncfs sysinfo tee tgkill time timer_create timer_delete',
  'timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64',
  'timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat',
  'utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev process_vm_readv process_vm_writev ptrace sync_file_range2',
]);

/** What a capability opens: without it these calls fail. */
const byCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_DAC_READ_SEARCH: words(['open_by_handle_at']),
  CAP_SYS_ADMIN: words([
    'bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount',
    'mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare',
  ]),
  CAP_SYS_BOOT: words(['reboot']),
  CAP_SYS_CHROOT: words(['chroot']),
  CAP_SYS_MODULE: words(['delete_module finit_module init_module']),
  CAP_SYS_PACCT: words(['acct']),
  CAP_SYS_PTRACE: words(['kcmp pidfd_getfd process_madvise']),
  CAP_SYS_RAWIO: words(['iopl ioperm']),
  CAP_SYS_TIME: words(['clock_settime clock_settime64 settimeofday stime']),
  CAP_SYS_TTY_CONFIG: words(['vhangup']),
  CAP_SYS_NICE: words(['get_mempolicy mbind set_mempolicy set_mempolicy_home_node']),
  CAP_SYSLOG: words(['syslog']),
  CAP_BPF: words(['bpf']),
  CAP_PERFMON: words(['perf_event_open']),
};

const ALLOW = 'SCMP_ACT_ALLOW';
const ERRNO = 'SCMP_ACT_ERRNO';
const [EPERM, ENOSYS] = [1, 38];
const AF_VSOCK = 40;
// CLONE_NEWNS|NEWCGROUP|NEWUTS|NEWIPC|NEWUSER|NEWPID|NEWNET: no new namespaces without CAP_SYS_ADMIN.
const NAMESPACE_FLAGS = 0x7e020000;
// PER_LINUX, PER_LINUX32, UNAME26, both of the last two, and "tell me the current one".
const PERSONALITIES = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];

const architectures: Readonly<Partial<Record<NodeJS.Architecture, readonly string[]>>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** The filter of profile type RuntimeDefault, in the spirit of Docker's: an allow list that depends on the container's capabilities. */
export function defaultSeccomp(capabilities: ReadonlySet<string>, architecture: NodeJS.Architecture = process.arch): OciSeccomp {
  const opened = Object.entries(byCapability).flatMap(([name, calls]) => (capabilities.has(name) ? calls : []));
  const known = architectures[architecture];
  const unprivileged: readonly OciSeccompRule[] = [
    {
      names: ['clone'],
      action: ALLOW,
      args: [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    // Its flags lie in memory that a filter cannot read; "no such call" makes C libraries take clone instead.
    { names: ['clone3'], action: ERRNO, errnoRet: ENOSYS },
  ];
  return {
    defaultAction: ERRNO,
    defaultErrnoRet: EPERM,
    ...(known === undefined ? {} : { architectures: known }),
    syscalls: [
      { names: [...new Set([...always, ...opened])], action: ALLOW },
      ...PERSONALITIES.map((value) => ({ names: ['personality'], action: ALLOW, args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] })),
      { names: ['socket'], action: ALLOW, args: [{ index: 0, value: AF_VSOCK, op: 'SCMP_CMP_NE' }] },
      ...(capabilities.has('CAP_SYS_ADMIN') ? [] : unprivileged),
    ],
  };
}
