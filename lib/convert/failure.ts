/** The two ways in which a source cannot be converted, each with the path that is at fault. */
import { Z1Error } from '../base/errors.js'

/** The file contradicts itself or another one, or is cut short. */
export function invalid(path: string, reason: string, cause?: unknown): Z1Error {
  return new Z1Error('MODEL_INVALID', `${path}: ${reason}`, { cause })
}

/** The file is sound, but converting it would be a guess. */
export function unsupported(path: string, reason: string): Z1Error {
  return new Z1Error('MODEL_UNSUPPORTED', `${path}: ${reason}`)
}
