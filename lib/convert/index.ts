/** `z1-native/convert`: model files from Hugging Face checkpoints, and smaller ones from those. */
export { type ConvertResult, convert } from './convert.js'
export type { ConvertOptions, QuantizeOptions } from './options.js'
export { type QuantizeResult, quantize } from './quantize.js'
export { FILE_TYPE_NAMES, type FileType } from './types.js'
