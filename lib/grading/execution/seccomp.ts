/**
 * What a program may not ask of the kernel: namespaces of its own, in which it could mount memory without limit, and calls that
 * programs of answers have no use for but attackers have. As a program of classic BPF, which bubblewrap loads.
 */

interface Architecture {
  /** AUDIT_ARCH_… of linux/audit.h. */
  audit: number
  /** Numbers of system calls that fail with EPERM. */
  denied: readonly number[]
  clone: number
}

/** Of all architectures: io_uring_setup, open_tree, move_mount, fsopen, fsmount, mount_setattr. */
const NEW_CALLS = [425, 428, 429, 430, 432, 442]
const CLONE3 = 435

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    // ptrace, pivot_root, mount, umount2, add_key, request_key, keyctl, unshare, perf_event_open, setns,
    // process_vm_readv, process_vm_writev, bpf, userfaultfd
    denied: [101, 155, 165, 166, 248, 249, 250, 272, 298, 308, 310, 311, 321, 323, ...NEW_CALLS],
    clone: 56,
  },
  arm64: {
    audit: 0xc00000b7,
    // umount2, mount, pivot_root, unshare, ptrace, add_key, request_key, keyctl, perf_event_open, setns,
    // process_vm_readv, process_vm_writev, bpf, userfaultfd
    denied: [39, 40, 41, 97, 117, 217, 218, 219, 241, 268, 270, 271, 280, 282, ...NEW_CALLS],
    clone: 220,
  },
}

/** linux/bpf_common.h */
const LOAD = 0x20
const IF_EQUAL = 0x15
const IF_AT_LEAST = 0x35
const IF_SET = 0x45
const RETURN = 0x06

/** linux/seccomp.h: offsets in seccomp_data, and what a filter returns. */
const NR = 0
const ARCH = 4
const FIRST_ARGUMENT = 16
const ALLOW = 0x7fff0000
const KILL_PROCESS = 0x80000000
const ERRNO = 0x00050000
const EPERM = 1
const ENOSYS = 38

const CLONE_NEWUSER = 0x10000000
/** Set in the numbers of x32, another set of calls of x64. */
const X32 = 0x40000000

/** Undefined for an architecture without a filter. */
export function seccompFilter(arch: string = process.arch): Buffer | undefined {
  const known = ARCHITECTURES[arch]
  if (!known) return undefined
  const { audit, denied, clone } = known
  const unless = (condition: number, value: number, result: number) => [
    [condition, 0, 1, value],
    [RETURN, 0, 0, result],
  ]
  const program = [
    [LOAD, 0, 0, ARCH],
    [IF_EQUAL, 1, 0, audit],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, NR],
    ...(arch === 'x64' ? unless(IF_AT_LEAST, X32, ERRNO | ENOSYS) : []),
    ...denied.flatMap((call) => unless(IF_EQUAL, call, ERRNO | EPERM)),
    // Its flags are in memory, where a filter cannot look; glibc takes clone instead.
    ...unless(IF_EQUAL, CLONE3, ERRNO | ENOSYS),
    [IF_EQUAL, 0, 3, clone],
    [LOAD, 0, 0, FIRST_ARGUMENT],
    ...unless(IF_SET, CLONE_NEWUSER, ERRNO | EPERM),
    [RETURN, 0, 0, ALLOW],
  ]
  const bytes = Buffer.alloc(8 * program.length)
  for (const [i, [code, whenTrue, whenFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code as number, 8 * i)
    bytes.writeUInt8(whenTrue as number, 8 * i + 2)
    bytes.writeUInt8(whenFalse as number, 8 * i + 3)
    bytes.writeUInt32LE((value as number) >>> 0, 8 * i + 4)
  }
  return bytes
}
