/** Options that the commands of lib/data share. What a command has of its own stands in its file. */
import { abortSignal, boolean, callback, isString, kind, listOf } from '../base/checks.js'
import { type Option, option, required } from '../base/options.js'

/** Options of every command that writes records. */
export interface JobOptions {
  /** File to write: `.jsonl`, `.parquet`, or `-` for standard output, which cannot be resumed. */
  output: string
  /** Begin anew, whatever stands there. Default false: go on with an unfinished output, and leave any other alone. */
  force?: boolean | undefined
  /** Ends the run, which then rejects with the signal's reason; the same call goes on later. */
  signal?: AbortSignal | undefined
  /** Called after each row. */
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface Progress {
  /** Share of the work that is done, 0 … 1; 0 if it is not known. */
  fraction: number
  /** Rows read, earlier runs included. */
  read: number
  kept: number
}

export const fileName = kind('file name', isString, { isValid: (value) => value !== '' })
export const fileNames = listOf(fileName, 'array of file names')

export const JOB_OPTIONS = {
  output: required(fileName),
  force: option(boolean, false),
  signal: option(abortSignal()),
  onProgress: option(callback<(progress: Progress) => void>()),
} satisfies Record<keyof JobOptions, Option<unknown>>
