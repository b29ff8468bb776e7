/**
 * How many threads a context gets when the caller does not say.
 * Token generation is bound by memory and synchronizes its threads at every operation: a second thread on one core
 * only makes the others wait, so cores are counted and not hardware threads.
 */
import { readdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'

/**
 * Physical cores that this process may use; at least 1.
 * @param sys Where Linux's sysfs is mounted.
 */
export function defaultThreads(sys = '/sys'): number {
  const available = os.availableParallelism()
  if (process.platform === 'linux') {
    const cores = linuxCores(sys)
    if (cores > 0) return Math.max(1, Math.min(cores, available, linuxQuota(sys)))
  }
  // llama.cpp's rule where cores cannot be counted (common.cpp, common_cpu_get_num_physical_cores).
  return available > 4 ? Math.floor(available / 2) : available
}

/** Cores of the machine; 0 when sysfs does not say. */
function linuxCores(sys: string): number {
  const cpus = join(sys, 'devices/system/cpu')
  const cores = new Set<string>()
  for (const name of list(cpus)) {
    // A processor that is offline has no topology.
    const siblings = /^cpu\d+$/.test(name) && read(join(cpus, name, 'topology/thread_siblings_list'))
    if (siblings) cores.add(siblings)
  }
  return cores.size
}

/** Processors' worth of time that a container may use (cgroup v2), which the affinity mask does not show. */
function linuxQuota(sys: string): number {
  const [quota, period] = read(join(sys, 'fs/cgroup/cpu.max')).split(' ').map(Number)
  return quota && period ? Math.ceil(quota / period) : Infinity
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}
