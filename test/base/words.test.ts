/** Where words end: in scripts with spaces at these, in others by hand. */
import { describe, expect, it } from 'vitest'
import { cutCharacters, cutWords } from '../../lib/base/words.js'

describe('cutWords', () => {
  it.each([
    ['Latin', "don't-stop,3.14"],
    ['Korean, which has spaces', '문장입니다'],
    ['nothing', ''],
  ])('leaves %s whole', (_name, text) => {
    expect(cutWords(text)).toEqual([text])
  })

  it.each([
    ['Chinese', '小明有3个苹果', ['小明', '有', '3', '个', '苹果']],
    ['Japanese', '東京タワーの高さ', ['東京タワー', 'の', '高', 'さ']],
    ['Thai', 'ข้อสอบมีทั้งหมด', ['ข้อสอบ', 'มี', 'ทั้งหมด']],
    ['Lao', 'ຂ້ອຍມີ', ['ຂ້ອຍ', 'ມີ']],
    ['Khmer', 'ខ្ញុំមាន', ['ខ្ញុំ', 'មាន']],
    ['Burmese', 'ခုနစ်ကျပ်', ['ခုနစ်', 'ကျပ်']],
  ])('cuts %s', (_name, text, words) => {
    expect(cutWords(text)).toEqual(words)
  })

  it('loses nothing of a long text', () => {
    const text = '小明有三个苹果'.repeat(20_000)
    expect(cutWords(text).join('')).toBe(text)
  })
})

describe('cutCharacters', () => {
  it.each([
    ['word', ['word']],
    ['', ['']],
    ['求f(x)的值。', ['求', 'f(x)', '的', '值', '。']],
    ['𠮷コーヒー', ['𠮷', 'コ', 'ー', 'ヒ', 'ー']],
  ])('%s', (text, items) => {
    expect(cutCharacters(text)).toEqual(items)
  })
})
