import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defaultThreads } from '../../lib/native/threads.js'

let sys: string

function file(path: string, content: string) {
  const full = join(sys, path)
  mkdirSync(dirname(full), { recursive: true })
  writeFileSync(full, content)
}

/** Writes sysfs topology: one entry per hardware thread, naming the threads of its core. */
function topology(siblings: string[]) {
  siblings.forEach((list, i) => {
    file(`devices/system/cpu/cpu${i}/topology/thread_siblings_list`, `${list}\n`)
  })
  file('devices/system/cpu/cpufreq/boost', '1\n')
  file('devices/system/cpu/online', '0\n')
}

function machine(platform: NodeJS.Platform, available: number) {
  vi.spyOn(process, 'platform', 'get').mockReturnValue(platform)
  vi.spyOn(os, 'availableParallelism').mockReturnValue(available)
}

beforeEach(() => {
  sys = mkdtempSync(join(os.tmpdir(), 'z1-sys-'))
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(sys, { recursive: true })
})

describe('defaultThreads on Linux', () => {
  it('counts cores, not hardware threads', () => {
    machine('linux', 8)
    topology(['0,4', '1,5', '2,6', '3,7', '0,4', '1,5', '2,6', '3,7'])
    expect(defaultThreads(sys)).toBe(4)
  })

  it('counts every core where each has one thread', () => {
    machine('linux', 6)
    topology(['0', '1', '2', '3', '4', '5'])
    expect(defaultThreads(sys)).toBe(6)
  })

  it('leaves out a processor that is offline', () => {
    machine('linux', 8)
    topology(['0', '1', '2'])
    mkdirSync(join(sys, 'devices/system/cpu/cpu3'))
    expect(defaultThreads(sys)).toBe(3)
  })

  it('stays within the affinity mask', () => {
    machine('linux', 2)
    topology(['0', '1', '2', '3'])
    expect(defaultThreads(sys)).toBe(2)
  })

  it.each([
    ['150000 100000', 2],
    ['100000 100000', 1],
    ['10000 100000', 1],
    ['800000 100000', 4],
    ['max 100000', 4],
  ])("stays within a container's quota of %s", (quota, threads) => {
    machine('linux', 4)
    topology(['0', '1', '2', '3'])
    file('fs/cgroup/cpu.max', `${quota}\n`)
    expect(defaultThreads(sys)).toBe(threads)
  })

  it("falls back to llama.cpp's rule without sysfs", () => {
    machine('linux', 12)
    expect(defaultThreads(join(sys, 'absent'))).toBe(6)
  })
})

describe.each(['darwin', 'win32'] as const)('defaultThreads on %s', (platform) => {
  it.each([
    [1, 1],
    [4, 4],
    [5, 2],
    [16, 8],
  ])('of %i hardware threads uses %i', (available, threads) => {
    machine(platform, available)
    topology(['0', '1', '2'])
    expect(defaultThreads(sys)).toBe(threads)
  })
})

it('gives this machine at least one thread and no more than it has', () => {
  expect(defaultThreads()).toBeGreaterThanOrEqual(1)
  expect(defaultThreads()).toBeLessThanOrEqual(os.availableParallelism())
})
