// What holds for every file of the console, read as text.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const FOLDER = join(import.meta.dirname, '..', '..', 'web')
const names = readdirSync(FOLDER)
const text = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
const modules = names.filter((name) => name.endsWith('.js'))
const withoutComments = (code: string) => code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
const importsOf = (name: string) =>
  [...withoutComments(text(name)).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!)

/** What would make markup, code or a style of a string; and where a key would outlive its tab. */
const FORBIDDEN =
  /innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|DOMParser|srcdoc|\beval\b|\bFunction\(|setAttribute\(\s*['"]style|javascript:|localStorage|document\.cookie|indexedDB/

test('no module makes markup, code or an inline style of text, or keeps anything beyond its tab', () => {
  for (const name of modules) assert.doesNotMatch(withoutComments(text(name)), FORBIDDEN, name)
})

test('the page has no inline script, style or handler, and nothing comes from elsewhere', () => {
  const page = text('index.html')
  assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)/)
  for (const name of names.filter((one) => /\.(js|css|html)$/.test(one))) {
    assert.doesNotMatch(withoutComments(text(name)), /https?:\/\/|url\(|@import\s+['"u]/, name)
  }
  for (const [, file] of page.matchAll(/(?:src|href)="([^"]+)"/g)) assert.ok(names.includes(file!), file)
})

test('every import leads to a module of the folder, and every module is needed', () => {
  const reached = new Set(['console.js'])
  for (const name of reached) {
    for (const target of importsOf(name)) {
      assert.match(target, /^\.\/[a-z-]+\.js$/, `${name} imports ${target}`)
      assert.ok(modules.includes(target.slice(2)), `${name} imports ${target}`)
      reached.add(target.slice(2))
    }
  }
  assert.deepEqual([...reached].sort(), [...modules].sort())
})

test('every module is checked for its types, and stands in the map', () => {
  const map = text('console.js').split('\nimport ')[0]!
  for (const name of modules) {
    assert.match(text(name), /^\/\/ @ts-check\n/, name)
    assert.ok(map.includes(name), `${name} is not in the map of console.js`)
  }
})
