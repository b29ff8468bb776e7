import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cacheFolder, endpointOf, isOffline, timeoutOf, tokenOf } from '../../lib/hub/environment.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()

describe('the cache', () => {
  // The rules of huggingface_hub's constants.py, worked out by hand.
  it.each([
    [{}, join(homedir(), '.cache', 'huggingface', 'hub')],
    [{ HOME: '/home/me' }, '/home/me/.cache/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x' }, '/x/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/x', HF_HOME: '/h' }, '/h/hub'],
    [{ HF_HOME: '~/h', HOME: '/home/me' }, '/home/me/h/hub'],
    [{ HF_HOME: '$BASE/h', BASE: '/b' }, '/b/h/hub'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the shell
    [{ HF_HUB_CACHE: '${BASE}/c', BASE: '/b', HF_HOME: '/h' }, '/b/c'],
    [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/h' }, '/old'],
    [{ HF_HUB_CACHE: '/new', HUGGINGFACE_HUB_CACHE: '/old' }, '/new'],
    [{ HF_HUB_CACHE: '', HF_HOME: '/h' }, '/h/hub'],
  ])('of %j is %s', (env, path) => expect(cacheFolder(env)).toBe(path))
})

describe('the token', () => {
  it('is that of HF_TOKEN, else of the file', async () => {
    mkdirSync(join(folder(), 'home'))
    writeFileSync(join(folder(), 'home', 'token'), 'hf_file\n')
    writeFileSync(join(folder(), 'other'), 'hf_other')
    const home = { HF_HOME: join(folder(), 'home') }
    expect(await tokenOf(home)).toBe('hf_file')
    expect(await tokenOf({ ...home, HF_TOKEN: ' hf_given ' })).toBe('hf_given')
    expect(await tokenOf({ ...home, HUGGING_FACE_HUB_TOKEN: 'hf_old' })).toBe('hf_old')
    expect(await tokenOf({ ...home, HF_TOKEN_PATH: join(folder(), 'other') })).toBe('hf_other')
    expect(await tokenOf({ ...home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).toBeNull()
    expect(await tokenOf({ HF_HOME: join(folder(), 'none') })).toBeNull()
  })

  it('with characters that no header has is refused without being shown', async () => {
    const failure = await tokenOf({ HF_TOKEN: 'hf_se\ncret' }).catch((error) => error)
    expect(failure).toMatchObject({ code: 'REMOTE_REFUSED' })
    expect(failure.message).not.toContain('cret')
  })
})

it('HF_ENDPOINT is an address, without a slash at its end', () => {
  expect(endpointOf({})).toBe('https://huggingface.co')
  expect(endpointOf({ HF_ENDPOINT: 'http://127.0.0.1:8080/hub//' })).toBe('http://127.0.0.1:8080/hub')
  for (const HF_ENDPOINT of ['huggingface.co', 'ftp://x', 'https://']) {
    expect(() => endpointOf({ HF_ENDPOINT })).toThrow(/^Expected an http\(s\) address for HF_ENDPOINT/)
  }
})

it('HF_HUB_OFFLINE and HF_HUB_DOWNLOAD_TIMEOUT are read', () => {
  expect([{}, { HF_HUB_OFFLINE: '0' }, { HF_HUB_OFFLINE: '' }].map(isOffline)).toEqual([false, false, false])
  expect([{ HF_HUB_OFFLINE: '1' }, { HF_HUB_OFFLINE: 'yes' }, { TRANSFORMERS_OFFLINE: 'true' }].map(isOffline)).toEqual(
    [true, true, true],
  )
  expect(timeoutOf({})).toBe(30_000)
  expect(timeoutOf({ HF_HUB_DOWNLOAD_TIMEOUT: '5' })).toBe(5000)
  expect(timeoutOf({ HF_HUB_DOWNLOAD_TIMEOUT: 'soon' })).toBe(30_000)
})
