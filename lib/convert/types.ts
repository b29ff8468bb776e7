/** The types a model file can have, as users name them. Knows their numbers, not their bytes. */

/** llama.h `enum llama_ftype`. Those that need an importance matrix are left out: llama.cpp refuses them without one. */
export const FILE_TYPES = {
  f32: 0,
  f16: 1,
  bf16: 32,
  q8_0: 7,
  q6_k: 18,
  q5_k_m: 17,
  q5_k_s: 16,
  q5_1: 9,
  q5_0: 8,
  q4_k_m: 15,
  q4_k_s: 14,
  q4_1: 3,
  q4_0: 2,
  iq4_nl: 25,
  iq4_xs: 30,
  q3_k_l: 13,
  q3_k_m: 12,
  q3_k_s: 11,
  iq3_m: 27,
  iq3_s: 26,
  q2_k: 10,
} as const

/** `f32`, `f16` and `bf16` keep every weight as a number; in the others blocks of weights share a scale. */
export type FileType = keyof typeof FILE_TYPES

export const FILE_TYPE_NAMES = Object.keys(FILE_TYPES) as FileType[]

/** Types of single numbers, as safetensors files and GGUF name them. */
export type FloatType = 'F32' | 'F16' | 'BF16'

/** The file type that holds matrices of a float type. */
export const PLAIN_TYPES = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const satisfies Record<FloatType, FileType>

/** The float type of a file type's matrices; undefined for the quantized ones. */
export function floatTypeOf(type: FileType): FloatType | undefined {
  return (Object.keys(PLAIN_TYPES) as FloatType[]).find((float) => PLAIN_TYPES[float] === type)
}
