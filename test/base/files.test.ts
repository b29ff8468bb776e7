/** Files that are whole or not there, whoever else writes, and whatever stands in the way. */
import { spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  checkDistinct,
  openToRead,
  removeLeftovers,
  replaceFile,
  sha256Of,
  writeAll,
  writeWhole,
} from '../../lib/base/files.js'
import { temporaryFolder } from '../support/folder.js'

const path = temporaryFolder()

let count = 0
/** A path in a folder of its own, and what the folder holds. */
function target(): { file: string; names: () => string[] } {
  const folder = path(`${count++}`)
  mkdirSync(folder)
  return { file: `${folder}/file`, names: () => readdirSync(folder).sort() }
}

describe('replaceFile', () => {
  it('shows what is written when it is done, and leaves nothing beside it', async () => {
    const { file, names } = target()
    writeFileSync(file, 'before')
    const result = await replaceFile(file, async ({ handle }) => {
      await writeAll(handle, Buffer.from('aft'))
      expect(readFileSync(file, 'utf8')).toBe('before')
      await writeAll(handle, Buffer.from('er'))
      return 5
    })
    expect([result, readFileSync(file, 'utf8'), names()]).toEqual([5, 'after', ['file']])
  })

  it('takes what others write to the file by its path', async () => {
    const { file } = target()
    await replaceFile(file, async (temporary) => writeFileSync(temporary.path, 'by path'))
    expect(readFileSync(file, 'utf8')).toBe('by path')
  })

  it('keeps what was there, and nothing else, when the writing fails', async () => {
    const { file, names } = target()
    writeFileSync(file, 'before')
    const failed = replaceFile(file, async ({ handle }) => {
      await writeAll(handle, Buffer.from('half'))
      throw new Error('no more')
    })
    await expect(failed).rejects.toThrow(/^no more$/)
    expect([readFileSync(file, 'utf8'), names()]).toEqual(['before', ['file']])
  })

  it('lets two write at once: the file is one of theirs as a whole', async () => {
    const { file, names } = target()
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(1_000_000))
    const write = (text: string) =>
      replaceFile(file, async ({ handle }) => {
        for (let at = 0; at < text.length; at += 100_000) {
          await writeAll(handle, Buffer.from(text.slice(at, at + 100_000)))
        }
      })
    await Promise.all(texts.map(write))
    expect(texts).toContain(readFileSync(file, 'utf8'))
    expect(names()).toEqual(['file'])
  })

  it('gives each file a name of its own that was not there', async () => {
    const { file } = target()
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      await replaceFile(file, async (temporary) => {
        seen.add(temporary.path)
        // Nothing can be put there beforehand: it is opened only if there is nothing.
        expect(statSync(temporary.path).size).toBe(0)
      })
    }
    expect(seen.size).toBe(20)
  })

  it('replaces a symbolic link, not what it points to', async () => {
    const { file, names } = target()
    const precious = path('precious')
    writeFileSync(precious, 'precious')
    symlinkSync(precious, file)
    await writeWhole(file, 'new')
    expect([readFileSync(precious, 'utf8'), readFileSync(file, 'utf8')]).toEqual(['precious', 'new'])
    expect(names()).toEqual(['file'])
  })

  it('says that a folder is missing, or that one is in the way, before anything is written', async () => {
    const missing = path('no', 'such', 'file')
    const write = () => expect.unreachable()
    await expect(replaceFile(missing, write)).rejects.toThrow(`Cannot write ${missing}: ENOENT`)
    mkdirSync(path('folder'))
    await expect(replaceFile(path('folder'), write)).rejects.toThrow(
      `Cannot write ${path('folder')}: not a regular file`,
    )
  })
})

describe('removeLeftovers', () => {
  it('removes what killed processes left beside this file, and nothing else', async () => {
    const { file, names } = target()
    const { pid } = spawnSync(process.execPath, ['--version'])
    const random = '0123456789ab'
    const others = [
      'file',
      `file.${process.pid}-${random}.tmp`,
      `file2.${pid}-${random}.tmp`,
      `file.${pid}-${random}`,
      `file.gguf.${pid}-${random}.tmp`,
      'file.tmp',
    ]
    for (const name of [...others, `file.${pid}-${random}.tmp`]) writeFileSync(file.replace(/file$/, name), '')
    await removeLeftovers(file)
    expect(names()).toEqual(others.sort())
    await removeLeftovers(path('no', 'such', 'file'))
  })
})

describe('checkDistinct', () => {
  it('knows an input by every name that it has', async () => {
    const { file } = target()
    const [hard, soft, folder, other] = [`${file}-hard`, `${file}-soft`, `${file}-folder`, `${file}-other`]
    for (const each of [file, other]) writeFileSync(each, 'same text')
    linkSync(file, hard)
    symlinkSync(file, soft)
    symlinkSync(path(), folder)
    const names = [file, hard, soft, file.replace(path(), folder), file.replace(/file$/, './file')]
    for (const name of names) {
      await expect(checkDistinct([other, name], ['-', file])).rejects.toThrow(
        new TypeError(`Expected an output that is none of the inputs but received ${name}`),
      )
      await expect(checkDistinct([file], [name])).rejects.toThrow(TypeError)
    }
    await checkDistinct([other, '-'], [file, '-'])
  })

  it('compares what is not there by its path, and takes devices as outputs', async () => {
    const { file } = target()
    await expect(checkDistinct([file], [file])).rejects.toThrow(TypeError)
    await checkDistinct([file], [`${file}2`])
    await checkDistinct(['/dev/null'], ['/dev/null'])
  })
})

describe.runIf(process.platform === 'linux')('openToRead', () => {
  it('opens files alone, and waits for nobody', async () => {
    const { file } = target()
    spawnSync('mkfifo', [file])
    for (const name of [file, '/dev/zero', path()]) {
      await expect(openToRead(name)).rejects.toThrow('not a regular file')
      await expect(sha256Of(name)).rejects.toThrow('not a regular file')
    }
    await expect(openToRead(`${file}2`)).rejects.toThrow('ENOENT')
  })
})

it('sha256Of is what sha256sum says', async () => {
  writeFileSync(path('abc'), 'abc')
  // FIPS 180-2, appendix B.1.
  const digest = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(await sha256Of(path('abc'))).toBe(digest)
})
