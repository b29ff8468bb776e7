/**
 * A watch on all processes of a program together: the kernel's limits are on each of them alone. It sees a program by its
 * first process and that one's descendants; in a sandbox none can leave them.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Limits } from './limits.js'

/** Between two looks, in milliseconds: so long a program may have more than it may. */
const INTERVAL = 100

export interface Watched extends Pick<Limits, 'memoryBytes' | 'processes'> {
  pid: number
  /** Called once at most. */
  stop(why: 'memory' | 'processes'): void
}

const watched = new Set<Watched>()
let timer: NodeJS.Timeout | undefined

/** @returns A function that ends the watch. Where there is no /proc nothing is seen. */
export function watch(program: Watched): () => void {
  watched.add(program)
  timer ??= setInterval(look, INTERVAL).unref()
  return () => {
    watched.delete(program)
    if (watched.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function look(): void {
  const children = childrenByParent()
  for (const program of watched) {
    const { memoryBytes, processes, stop } = program
    const all = descendants(program.pid, children)
    // Two are the sandbox's own.
    const why = all.length > processes + 2 ? 'processes' : residentBytes(all) > memoryBytes ? 'memory' : undefined
    if (why === undefined) continue
    watched.delete(program)
    stop(why)
  }
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>()
  for (const name of entries('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    // `12 (a name) S 1 …`: the name may have spaces and brackets of its own.
    const stat = textOf(`/proc/${pid}/stat`)
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ', 1)[0])
    const siblings = children.get(parent)
    if (siblings) siblings.push(pid)
    else children.set(parent, [pid])
  }
  return children
}

function descendants(pid: number, children: Map<number, number[]>): number[] {
  const all = [pid]
  for (const each of all) all.push(...(children.get(each) ?? []))
  return all
}

function residentBytes(pids: readonly number[]): number {
  let kib = 0
  for (const pid of pids) kib += Number(/^VmRSS:\s*(\d+) kB/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0)
  return kib * 1024
}

function entries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** '' for a process that has ended. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
