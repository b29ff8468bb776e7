/**
 * Hostile programs. Each prints the right answer once it has done what it should not be able to do: run without the sandbox
 * it passes, and its test fails.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Sandbox } from '../../../lib/grading/execution/sandbox.js'
import { findSandboxTools, which } from '../../../lib/grading/execution/tools.js'
import { temporaryFolder } from '../../support/folder.js'
import { noSandbox } from '../../support/sandbox.js'
import { limits, prints, sandbox } from './runs.js'

const folder = temporaryFolder()

describe.skipIf(noSandbox)('a program in the sandbox', () => {
  it('passes by printing what it should, also after the others', async () => {
    expect(await prints('print("right")')).toEqual({ passed: true })
  })

  it('cannot have many processes', async () => {
    const bomb = `
import os, time
for i in range(200):
    if os.fork() == 0:
        time.sleep(2)
        os._exit(0)
print('right')`
    expect(await prints(bomb)).toEqual({ passed: false, reason: expect.stringContaining('BlockingIOError') })
  })

  it('cannot have many threads', async () => {
    const threads = `
import threading, time
for i in range(200):
    threading.Thread(target=time.sleep, args=(2,), daemon=True).start()
print('right')`
    expect(await prints(threads)).toMatchObject({ passed: false })
  })

  it('ends with all that it has started', async () => {
    const mark = folder('late')
    const daemon = `
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1)
        open(${JSON.stringify(mark)}, 'w').close()
    os._exit(0)
print('wrong')`
    expect(await prints(daemon)).toMatchObject({ passed: false })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(existsSync(mark)).toBe(false)
  })

  it('cannot write without end', async () => {
    const lines = 'import sys\nwhile True: sys.stdout.write(" \\n" * 100000)'
    expect(await prints(lines)).toEqual({ passed: false, reason: 'test 1 of 1: output limit' })
    expect(await prints(lines.replace('stdout', 'stderr'))).toEqual({
      passed: false,
      reason: 'test 1 of 1: output limit',
    })
  })

  it('cannot have 10 GB of memory', async () => {
    expect(await prints('x = bytearray(10 * 2 ** 30)\nprint("right")')).toEqual({
      passed: false,
      reason: 'test 1 of 1: MemoryError',
    })
  })

  it('cannot have more memory by sharing it out to processes', async () => {
    const shared = `
import os, time
for i in range(4):
    if os.fork() == 0:
        x = bytearray(b'x') * (100 * 2 ** 20)
        time.sleep(3)
        os._exit(0)
time.sleep(2)
print('right')`
    expect(await prints(shared, { memoryBytes: 256 * 2 ** 20 })).toEqual({
      passed: false,
      reason: 'test 1 of 1: memory limit',
    })
  })

  it.each(['/tmp', '/dev/shm'])('cannot fill %s', async (path) => {
    const files = `
for i in range(40):
    with open(f'${path}/{i}', 'wb') as file:
        file.write(bytes(2 ** 20))
print('right')`
    expect(await prints(files)).toEqual({ passed: true })
    expect(await prints(files, { fileBytes: 10 * 2 ** 20 })).toEqual({
      passed: false,
      reason: expect.stringContaining('No space left'),
    })
    expect(await prints(files, { fileBytes: 2 ** 19 })).toEqual({
      passed: false,
      reason: expect.stringContaining('File too large'),
    })
  })

  it('cannot sleep for ever, or work', async () => {
    expect(await prints('import time\ntime.sleep(1e6)', { wallMs: 1000 })).toEqual({
      passed: false,
      reason: 'test 1 of 1: timeout',
    })
    expect(await prints('while True: pass', { cpuSeconds: 1 })).toEqual({
      passed: false,
      reason: 'test 1 of 1: timeout',
    })
    const deaf = 'import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass'
    expect(await prints(deaf, { cpuSeconds: 1 })).toMatchObject({ passed: false })
  })

  it('cannot kill its parent, or see it', async () => {
    expect(await prints('import os, signal\nos.kill(os.getppid(), signal.SIGKILL)')).toMatchObject({ passed: false })
    expect(await prints(`import os\nos.kill(${process.pid}, 0)\nprint('right')`)).toMatchObject({ passed: false })
  })

  it('has no network', async () => {
    const server = createServer((socket) => socket.end())
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    try {
      const connects = `import socket\nsocket.create_connection(('127.0.0.1', ${port}), 5)\nprint('right')`
      expect(await prints(connects)).toMatchObject({ passed: false })
    } finally {
      server.close()
    }
  })

  it('sees none of the environment', async () => {
    process.env.Z1_TEST_SECRET = 'right'
    try {
      const reads = "import os\nprint(os.environ['Z1_TEST_SECRET'])"
      expect(await prints(reads)).toMatchObject({ passed: false, reason: expect.stringContaining('KeyError') })
      const steals = `if open('/proc/${process.pid}/environ', 'rb').read(): print('right')`
      expect(await prints(steals)).toMatchObject({ passed: false })
    } finally {
      delete process.env.Z1_TEST_SECRET
    }
  })

  describe('with files of this machine', () => {
    const home = join(homedir(), `.z1-test-${process.pid}`)
    beforeAll(() => {
      mkdirSync(home)
      writeFileSync(join(home, 'secret'), 'right')
      writeFileSync(folder('secret'), 'right')
    })
    afterAll(() => rmSync(home, { recursive: true }))

    it('cannot read them', async () => {
      for (const path of [join(home, 'secret'), folder('secret')]) {
        expect(await prints(`print(open(${JSON.stringify(path)}).read())`)).toMatchObject({ passed: false })
        const up = `print(open('/proc/1/root' + ${JSON.stringify(path)}).read())`
        expect(await prints(up)).toMatchObject({ passed: false })
      }
      expect(
        await prints("print('right' if __import__('os').listdir('/etc') else '')\nopen('/etc/passwd')"),
      ).toMatchObject({
        passed: false,
      })
    })

    it('cannot write them, or beside them', async () => {
      for (const path of [
        join(home, 'new'),
        folder('new'),
        '/usr/lib/z1-new',
        '/z1-new',
        '/dev/z1-new',
        '/etc/z1-new',
      ]) {
        const writes = `open(${JSON.stringify(path)}, 'w').close()\nprint('right')`
        expect(await prints(writes)).toMatchObject({ passed: false })
        expect(existsSync(path)).toBe(false)
      }
    })
  })

  it('may write to its own folder', async () => {
    expect(await prints("open('x', 'w').write('right')\nprint(open('/tmp/x').read())")).toEqual({ passed: true })
  })

  it('has no rights', async () => {
    const rights = `
import os
status = open('/proc/self/status').read()
assert 'CapEff:\\t0000000000000000' in status and 'NoNewPrivs:\\t1' in status
print('right')`
    expect(await prints(rights)).toEqual({ passed: true })
  })

  it('cannot make namespaces of its own', async () => {
    const NEW_USER = 0x10000000
    const asks = (call: string) => `
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
result = ${call}
print('right' if result != -1 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS) else 'refused')`
    for (const call of [
      `libc.unshare(${NEW_USER})`,
      `libc.syscall(435, ctypes.create_string_buffer((${NEW_USER}).to_bytes(8, 'little') + bytes(80)), 88)`,
      'libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)',
      'libc.ptrace(0, 0, 0, 0)',
    ]) {
      expect(await prints(asks(call))).toEqual({ passed: false, reason: 'test 1 of 1: wrong answer' })
    }
    // A thread and a process are made by the same call.
    const allowed =
      'import os, threading\nthread = threading.Thread(target=print, args=("right",))\nthread.start()\nthread.join()\n'
    expect(
      await prints(`${allowed}import subprocess, sys\nsubprocess.run([sys.executable, "-c", ""], check=True)`),
    ).toEqual({
      passed: true,
    })
  })

  it('ends when it is aborted', async () => {
    const abort = new AbortController()
    const program = (await sandbox()).start({
      language: 'python',
      args: ['-c', 'import time; time.sleep(1e6)'],
      limits,
      signal: abort.signal,
    })
    setTimeout(() => abort.abort(), 200)
    expect(await program.ended).toMatchObject({ stopped: 'abort' })
  })
})

describe.skipIf(process.platform !== 'linux')('Sandbox.open', () => {
  it('names the packages that are missing', async () => {
    await expect(findSandboxTools(() => undefined)).rejects.toMatchObject({
      code: 'SANDBOX_UNAVAILABLE',
      message: expect.stringMatching(
        /needs bwrap and prlimit.*apt-get install bubblewrap util-linux.*--unsafe-execution/,
      ),
    })
    const others = (name: string) => (name === 'bwrap' ? undefined : `/usr/bin/${name}`)
    await expect(findSandboxTools(others)).rejects.toThrow(/needs bwrap: .*apt-get install bubblewrap\./)
  })

  it('refuses a bubblewrap that is too old, and one that does not run', async () => {
    const old = folder('bwrap')
    writeFileSync(old, '#!/bin/sh\necho bubblewrap 0.4.1\n', { mode: 0o755 })
    const find = (name: string) => (name === 'bwrap' ? old : which(name))
    await expect(findSandboxTools(find)).rejects.toThrow('The sandbox needs bubblewrap 0.7 or newer')
    writeFileSync(old, '#!/bin/sh\nexit 1\n')
    await expect(findSandboxTools(find)).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' })
  })

  it.skipIf(noSandbox)('refuses what is no Python', async () => {
    const code = 'PYTHON_NOT_FOUND'
    await expect(Sandbox.open({ python: folder('none') })).rejects.toMatchObject({ code })
    const other = folder('other')
    writeFileSync(other, '#!/bin/sh\necho hello\n', { mode: 0o755 })
    await expect(Sandbox.open({ python: other })).rejects.toMatchObject({ code })
    writeFileSync(other, '#!/bin/sh\necho \'["/bin/x", [2, 7, 18], "/opt/x"]\'\n')
    await expect(Sandbox.open({ python: other })).rejects.toThrow('Expected Python 3.8 or newer')
    writeFileSync(other, `#!/bin/sh\necho '["/bin/x", [3, 11, 2], "${homedir()}"]'\n`)
    await expect(Sandbox.open({ python: other })).rejects.toThrow('which is too much to show to a program')
  })

  it.skipIf(noSandbox)('takes a virtual environment, wherever it is', async () => {
    const venv = folder('venv')
    execFileSync('python3', ['-m', 'venv', '--without-pip', venv])
    const python = join(venv, 'bin', 'python3')
    const own = await Sandbox.open({ python })
    const program = own.start({ language: 'python', args: ['-c', 'import sys; print(sys.prefix)'], limits })
    expect((await program.ended).stdout).toBe(`${venv}\n`)
    const writes = own.start({ language: 'python', args: ['-c', `open('${venv}/x', 'w')`], limits })
    expect((await writes.ended).stderr).toContain('Read-only file system')
  })

  it('runs programs without a sandbox where that is asked for', async () => {
    const unsafe = await Sandbox.open({ unsafe: true })
    expect(unsafe.description.sandbox).toBeNull()
    const program = unsafe.start({ language: 'python', args: ['-c', 'print(2 + 2)'], limits })
    expect(await program.ended).toMatchObject({ stopped: null, exitCode: 0, stdout: '4\n' })
  })

  it('does not wait for a process that left its group and holds its output open', async () => {
    const unsafe = await Sandbox.open({ unsafe: true })
    const code = 'import subprocess\nsubprocess.Popen(["sleep", "60"], start_new_session=True)\nprint(2 + 2)'
    const before = performance.now()
    const program = unsafe.start({ language: 'python', args: ['-c', code], limits: { ...limits, wallMs: 1e9 } })
    expect(await program.ended).toMatchObject({ stopped: null, exitCode: 0, stdout: '4\n' })
    expect(performance.now() - before).toBeLessThan(50_000)
  })
})
