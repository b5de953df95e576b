// Heuristics for prompt injection: phrases by which a text tries to command the model that reads it. They are a first
// net with few false alarms, not a proof of innocence; each rule has a name, so that a refusal can be understood.
interface Rule {
  name: string
  /** How sure one hit makes us: hits add up as independent evidence. */
  weight: number
  pattern: RegExp
}

const WHAT =
  '(?:instructions?|prompts?|rules?|directions?|guidelines?|commands?|programming|directives?|polic(?:y|ies)|constraints?)'

const RULES: Rule[] = [
  {
    name: 'overrides-instructions',
    weight: 0.85,
    pattern: new RegExp(
      `\\b(?:ignore|disregard|forget|bypass|override|do not follow|stop following)\\b[^.\\n]{0,40}\\b(?:previous|prior|above|earlier|preceding|foregoing|initial|original|system|your|other|existing)\\b[^.\\n]{0,30}\\b${WHAT}\\b`,
    ),
  },
  {
    name: 'overrides-instructions-in-another-language',
    weight: 0.85,
    pattern:
      /(?:ignorier\w*|vergiss|missachte)[^.\n]{0,40}(?:vorherig|bisherig|obig|vorig)\w*[^.\n]{0,20}(?:anweisung|instruktion|regel)|(?:ignore[zr]?|oublie[zr]?)[^.\n]{0,30}(?:instructions|consignes|regles)[^.\n]{0,20}(?:precedentes|anterieures|ci-dessus)|(?:ignora|olvida)[^.\n]{0,30}(?:instrucciones|reglas|ordenes)[^.\n]{0,20}(?:anteriores|previas)|(?:ignora|dimentica)[^.\n]{0,30}(?:istruzioni|regole)[^.\n]{0,20}precedenti/,
  },
  {
    name: 'asks-for-the-system-prompt',
    weight: 0.8,
    pattern:
      /\b(?:reveal|show|print|repeat|output|leak|display|give|tell|recite|dump)\b[^.\n]{0,50}\b(?:system prompt|system message|hidden prompt|hidden instructions|initial (?:prompt|instructions)|your (?:prompt|instructions)|instructions above|everything above|text above)/,
  },
  {
    name: 'lifts-restrictions',
    weight: 0.6,
    pattern:
      /\b(?:without|no|free of|free from|not bound by|ignor(?:e|es|ing)|remov(?:e|ed|ing)|bypass(?:es|ing)?)\b[^.\n]{0,30}\b(?:restrictions?|filters?|censorship|(?:ethical|moral|content|safety)[^.\n]{0,12}(?:guidelines?|polic(?:y|ies)|rules|limits|boundaries)|limitations?)\b/,
  },
  { name: 'do-anything-now', weight: 0.75, pattern: /\bdo anything now\b|\bdan mode\b|\byou are (?:now )?dan\b/ },
  {
    name: 'jailbreak-mode',
    weight: 0.6,
    pattern: /\bjailbr(?:eak|oken)\w*|\b(?:developer|god|sudo|unrestricted|unfiltered|evil) mode\b/,
  },
  {
    name: 'never-refuses',
    weight: 0.55,
    pattern:
      /\b(?:never|can ?not|can'?t|must not|do not|don'?t|won'?t)\b[^.\n]{0,30}\b(?:refuse|reject|decline|say no|deny)\b|\b(?:any|every) (?:request|question|prompt)[^.\n]{0,30}(?:no matter|regardless)/,
  },
  {
    name: 'takes-on-a-persona',
    weight: 0.45,
    pattern:
      /\b(?:from now on|you are going to|you will|you must|i want you to)\b[^.\n]{0,40}\b(?:act as|pretend|roleplay|role-play|simulate|respond as|stay in character|break character)\b|\bstay in character\b/,
  },
  {
    name: 'speaks-of-the-maker’s-policy',
    weight: 0.45,
    pattern:
      /\b(?:openai|anthropic|chatgpt|gpt-?\d|ai)(?:'?s)?\b[^.\n]{0,25}\b(?:content )?(?:polic(?:y|ies)|guidelines?|restrictions?)\b/,
  },
  {
    name: 'drops-what-was-said',
    weight: 0.5,
    pattern:
      /\b(?:ignore|disregard|forget)\b[^.\n]{0,15}\b(?:all|everything|any)\b[^.\n]{0,20}\b(?:previous|prior|above|before|earlier|input|told|said|training|chat)\b/,
  },
  {
    name: 'becomes-another-model',
    weight: 0.4,
    pattern:
      /\b(?:you are|you're|you will|act as|pretend to be|simulate|role of|become|immerse)\b[^.\n]{0,60}\b(?:(?:ai|language) model|chat ?bot|ai persona|gpt|virtual machine|unfiltered|evil|amoral)\b/,
  },
  {
    name: 'denies-ethics',
    weight: 0.55,
    pattern:
      /\b(?:does ?n[o']t|do ?n[o']t|without|no|never|lacks?|hates?|ignor\w+|regardless of)\b[^.\n]{0,35}\b(?:ethic\w*|moral\w*|legality|laws?|illegal|unethical|prohibitions?|principles)\b|\bamoral\b|\bno matter how (?:unethical|illegal|dangerous|immoral)/,
  },
  {
    name: 'breaks-free',
    weight: 0.5,
    pattern:
      /\b(?:broken? free|freed?|no longer (?:bound|confined|restricted)|not (?:bound|confined|have to (?:abide|follow|obey)))\b[^.\n]{0,50}\b(?:confines?|limit\w*|rules|polic\w+|guidelines|openai|restrictions?)\b|\buncensored\b|\bunfiltered\b/,
  },
  {
    name: 'answers-twice',
    weight: 0.35,
    pattern:
      /\b(?:two|2|both|separate|different) (?:\w+ )?(?:responses?|answers?|personas?|personalit\w+|paragraphs?|ways)\b|\b(?:classic|normal|jailbroken|stock) (?:mode|response)\b/,
  },
  {
    name: 'forges-a-role',
    weight: 0.6,
    pattern:
      /<\|(?:im_start|system|assistant|user|endoftext)\|>|\[\/?inst\]|<<\/?sys>>|^#{2,} ?(?:system|new instructions?)\b/m,
  },
  {
    name: 'sends-secrets-away',
    weight: 0.7,
    pattern:
      /\b(?:send|post|forward|upload|email|exfiltrate)\b[^.\n]{0,60}\b(?:api keys?|passwords?|credentials?|secrets?|conversation|chat history|system prompt)\b[^\n]{0,60}(?:https?:|\w@\w|\bto (?:me|this)\b)/,
  },
  {
    name: 'hides-a-command',
    weight: 0.65,
    pattern:
      /\b(?:decode|decrypt|base64|rot13)\b[^.\n]{0,50}\b(?:and|then)\b[^.\n]{0,20}\b(?:follow|execute|obey|run|do (?:it|what))\b/,
  },
]

/** Longer texts are looked at from both ends: an attack stands where it is read first or last. */
const LOOKED_AT = 64 * 1024
/** Zero-width and direction marks, soft hyphens, and Unicode's invisible tag letters. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|[\u{e0000}-\u{e007f}]/gu
const ACCENTS = /\p{M}/gu
const ASCII = /^[\t\n\r -~]*$/
const BLANKS = /[ \t]{2,}|\t/g

export interface InjectionFinding {
  /** 0: nothing found; towards 1: surely an attack. */
  score: number
  rules: string[]
}

export function findInjection(texts: readonly string[]): InjectionFinding {
  const hits = new Map<string, number>()
  for (const text of texts) {
    const plain = plainText(text)
    for (const rule of RULES) if (!hits.has(rule.name) && rule.pattern.test(plain)) hits.set(rule.name, rule.weight)
  }
  let doubt = 1
  for (const weight of hits.values()) doubt *= 1 - weight
  return { score: 1 - doubt, rules: [...hits.keys()] }
}

/** As a reader sees it: look-alike letters folded, invisible ones gone, so that a disguise does not help. */
function plainText(text: string): string {
  const looked = text.length <= LOOKED_AT ? text : `${text.slice(0, LOOKED_AT / 2)}\n${text.slice(-LOOKED_AT / 2)}`
  // Most texts need no unfolding, and it costs more than all rules together.
  if (ASCII.test(looked)) return looked.toLowerCase().replace(BLANKS, ' ')
  const visible = looked.normalize('NFKD').replace(INVISIBLE, '').replace(ACCENTS, '')
  return visible.toLowerCase().replaceAll('’', "'").replace(BLANKS, ' ')
}
