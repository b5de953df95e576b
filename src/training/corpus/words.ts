// What fills the open places of templates: names, dates, money, things, in three languages. All invented.
import { TroupeError } from '../../contract/errors.ts'
import type { Random } from '../random.ts'

export type Language = 'en' | 'de' | 'es'

const split = (text: string) => text.trim().split(/\s*,\s*/)

const FIRST =
  split(`Anna, Ben, Carla, David, Elena, Frank, Grace, Henry, Ines, Jonas, Karin, Liam, Maria, Noah, Olga, Paul, Rosa,
  Samuel, Teresa, Victor, Wendy, Yusuf, Zoe, Mateo, Lucia, Heike, Stefan, Priya, Chen, Fatima, Aidan, Bridget, Omar, Sofia, Tomas`)
const LAST =
  split(`Baker, Fischer, Moreno, Novak, Okafor, Patel, Quinn, Reyes, Schmidt, Turner, Ueda, Vogel, Walsh, Young, Zimmer,
  Alvarez, Brandt, Castillo, Dunn, Eriksen, Fuentes, Graham, Huber, Ivanov, Jensen, Keller, Lang, Mendez, Nguyen, Ortega, Price`)
const COMPANY =
  split(`Northwind, Alder & Sons, Bluepeak, Cobalt Works, Delta Freight, Evergreen Foods, Ferrum Metals, Granite Point,
  Harbour Light, Ionica Systems, Juniper Retail, Kestrel Labs, Lumen Energy, Meridian Health, Nimbus Data, Orchard Press,
  Pinecrest Bank, Quarry Lane, Redwood Software, Silverline Logistics, Tidewater Marine, Umbra Optics, Vantage Insurance`)
const CITY =
  split(`Leeds, Bristol, Denver, Austin, Toronto, Dublin, Hamburg, Leipzig, Graz, Bern, Sevilla, Bilbao, Lima, Bogotá, Quito,
  Oslo, Ghent, Porto, Lyon, Turin, Boston, Perth, Cork, Kiel, Ulm, Cádiz, Toledo, Córdoba, Portland, Chicago`)
const SUFFIX: Record<Language, string[]> = {
  en: split('Ltd, Inc., LLC, plc, Group, & Co., Corporation'),
  de: split('GmbH, AG, KG, GmbH & Co. KG, eG'),
  es: split('S.A., S.L., S.A. de C.V., S.R.L.'),
}
const STREET: Record<Language, string[]> = {
  en: split('High Street, Station Road, Mill Lane, Park Avenue, Church Street, Oak Drive, Bridge Road, Market Square'),
  de: split('Hauptstraße, Bahnhofstraße, Gartenweg, Lindenallee, Marktplatz, Schulstraße, Am Hafen'),
  es: split('Calle Mayor, Avenida del Sol, Plaza Nueva, Calle de la Rosa, Paseo del Río, Calle Real'),
}
const MONTH: Record<Language, string[]> = {
  en: split('January, February, March, April, May, June, July, August, September, October, November, December'),
  de: split('Januar, Februar, März, April, Mai, Juni, Juli, August, September, Oktober, November, Dezember'),
  es: split('enero, febrero, marzo, abril, mayo, junio, julio, agosto, septiembre, octubre, noviembre, diciembre'),
}
const THING: Record<Language, string[]> = {
  en: split(`office chair, desk lamp, laptop stand, printer paper A4, steel bracket, coffee beans 1kg, network cable, safety gloves,
    paint roller, LED panel, cardboard box, hydraulic pump, USB keyboard, whiteboard, water filter, ball bearing, toner cartridge,
    copper pipe, floor cleaner, garden hose, projector, monitor 27", hand soap, packing tape, drill bit set, air filter`),
  de: split(`Bürostuhl, Schreibtischlampe, Druckerpapier A4, Stahlwinkel, Kaffeebohnen 1kg, Netzwerkkabel, Arbeitshandschuhe, Farbroller,
    LED-Leuchte, Karton, Hydraulikpumpe, Tastatur, Wasserfilter, Kugellager, Tonerkartusche, Kupferrohr, Bohrersatz, Luftfilter`),
  es: split(`silla de oficina, lámpara de mesa, papel A4, soporte de acero, café en grano 1kg, cable de red, guantes de trabajo, rodillo,
    panel LED, caja de cartón, bomba hidráulica, teclado, filtro de agua, rodamiento, cartucho de tóner, tubo de cobre, brocas`),
}
const SERVICE: Record<Language, string[]> = {
  en: split(`consulting services, software maintenance, web design, translation, legal advice, cleaning services, equipment rental,
    data migration, staff training, security audit, freight transport, machine repair, bookkeeping, hosting, project management`),
  de: split(
    'Beratungsleistung, Softwarewartung, Webdesign, Übersetzung, Rechtsberatung, Reinigung, Gerätemiete, Schulung, Transport, Reparatur',
  ),
  es: split(
    'consultoría, mantenimiento de software, diseño web, traducción, asesoría legal, limpieza, alquiler de equipos, formación, transporte',
  ),
}
const TOPIC: Record<Language, string[]> = {
  en: split(`customer retention, energy consumption, supply chain resilience, employee wellbeing, water quality, cloud migration,
    market expansion, waste reduction, product safety, remote work, data quality, urban mobility, crop yield, online sales,
    patient safety, inventory turnover, brand awareness, road traffic, renewable heating, cyber security, warehouse automation`),
  de: split(`Kundenbindung, Energieverbrauch, Lieferkette, Mitarbeiterzufriedenheit, Wasserqualität, Markterschließung, Abfallvermeidung,
    Produktsicherheit, Datenqualität, Verkehrsplanung, Onlinehandel, Lagerautomatisierung, Digitalisierung`),
  es: split(`fidelización de clientes, consumo de energía, cadena de suministro, bienestar laboral, calidad del agua, expansión del mercado,
    reducción de residuos, seguridad del producto, calidad de datos, movilidad urbana, ventas en línea, digitalización`),
}
const ROLE: Record<Language, string[]> = {
  en: split(`project manager, software engineer, sales director, accountant, nurse, research assistant, operations lead, designer,
    data analyst, chief executive officer, head of finance, procurement officer, marketing manager, electrician, teacher`),
  de: split(
    'Projektleiterin, Softwareentwickler, Vertriebsleiter, Buchhalterin, Geschäftsführer, Einkäuferin, Technikerin, Analyst',
  ),
  es: split(
    'jefa de proyecto, ingeniero de software, director de ventas, contable, directora general, analista, diseñadora, técnico',
  ),
}
const DEPARTMENT: Record<Language, string[]> = {
  en: split(
    'Finance, Human Resources, Engineering, Sales, Operations, Legal, Marketing, Procurement, Quality, Customer Support',
  ),
  de: split('Finanzen, Personal, Entwicklung, Vertrieb, Betrieb, Recht, Marketing, Einkauf, Qualität, Kundendienst'),
  es: split(
    'Finanzas, Recursos Humanos, Ingeniería, Ventas, Operaciones, Legal, Marketing, Compras, Calidad, Atención al Cliente',
  ),
}
const SKILL =
  split(`Python, SQL, Excel, TypeScript, AutoCAD, SAP, Kubernetes, Photoshop, Java, Linux, Tableau, public speaking,
  negotiation, Scrum, budgeting, C++, React, statistics, Salesforce, welding, first aid`)
const CURRENCY = ['$', '€', '£', 'USD ', 'EUR ', 'CHF ']

type Filler = (language: Language, random: Random) => string

const SLOTS: Record<string, Filler> = {
  first: (_, random) => random.pick(FIRST),
  last: (_, random) => random.pick(LAST),
  person: (_, random) => `${random.pick(FIRST)} ${random.pick(LAST)}`,
  company: (language, random) => `${random.pick(COMPANY)} ${random.pick(SUFFIX[language])}`,
  brand: (_, random) => random.pick(COMPANY),
  city: (_, random) => random.pick(CITY),
  address: (language, random) => {
    const [street, house] = [random.pick(STREET[language]), String(random.below(180) + 1)]
    const line = language === 'en' ? `${house} ${street}` : `${street} ${house}`
    return `${line}, ${digits(5, random)} ${random.pick(CITY)}`
  },
  month: (language, random) => random.pick(MONTH[language]),
  year: (_, random) => String(2012 + random.below(15)),
  date: fillDate,
  time: (_, random) => `${8 + random.below(11)}:${random.pick(['00', '15', '30', '45', '05', '52'])}`,
  n: (_, random) => String(random.below(12) + 1),
  number: (_, random) => String(random.below(900) + 12),
  percent: (_, random) => `${random.below(60) + 1}${random.pick(['', '.5', '.2', '.8'])}${random.pick(['%', ' %'])}`,
  code: (_, random) =>
    `${random.pick(['', '', 'A', 'RE-', 'X', 'INV', 'PO-', 'DOC-'])}${2010 + random.below(17)}${random.pick(['-', '/', ''])}${digits(4, random)}`,
  digits: (_, random) => digits(8, random),
  iban: (_, random) =>
    `${random.pick(['DE', 'ES', 'GB', 'FR'])}${digits(2, random)} ${digits(4, random)} ${digits(4, random)} ${digits(4, random)}`,
  amount: fillAmount,
  money: (language, random) => `${random.pick(CURRENCY)}${fillAmount(language, random)}`,
  email: (_, random) =>
    `${random.pick(FIRST).toLowerCase()}.${random.pick(LAST).toLowerCase()}@example.${random.pick(['com', 'org', 'net', 'de', 'es'])}`,
  phone: (_, random) => `+${random.below(80) + 10} ${digits(3, random)} ${digits(6, random)}`,
  url: (_, random) =>
    `www.${random
      .pick(COMPANY)
      .toLowerCase()
      .replace(/[^a-z]/g, '')}.example`,
  thing: (language, random) => random.pick(THING[language]),
  service: (language, random) => random.pick(SERVICE[language]),
  topic: (language, random) => random.pick(TOPIC[language]),
  role: (language, random) => random.pick(ROLE[language]),
  department: (language, random) => random.pick(DEPARTMENT[language]),
  skill: (_, random) => random.pick(SKILL),
}

export function fillSlot(slot: string, language: Language, random: Random): string {
  const filler = SLOTS[slot]
  if (filler === undefined) throw new TroupeError('internal', `no slot is called {${slot}}`)
  return filler(language, random)
}

function fillDate(language: Language, random: Random): string {
  const [day, month, year] = [1 + random.below(28), random.below(12), 2012 + random.below(15)]
  const [dd, mm] = [String(day).padStart(2, '0'), String(month + 1).padStart(2, '0')]
  const name = MONTH[language][month]!
  const written = {
    en: random.pick([`${name} ${day}, ${year}`, `${day} ${name} ${year}`]),
    de: `${day}. ${name} ${year}`,
    es: `${day} de ${name} de ${year}`,
  }
  return random.pick([
    written[language],
    written[language],
    `${year}-${mm}-${dd}`,
    language === 'de' ? `${dd}.${mm}.${year}` : `${dd}/${mm}/${year}`,
  ])
}

function fillAmount(language: Language, random: Random): string {
  const whole = random.below(random.pick([90, 900, 9000])) + 1
  const cents = String(random.below(100)).padStart(2, '0')
  const [group, point] = language === 'en' ? [',', '.'] : ['.', ',']
  return whole >= 1000
    ? `${Math.floor(whole / 1000)}${group}${String(whole % 1000).padStart(3, '0')}${point}${cents}`
    : `${whole}${point}${cents}`
}

function digits(count: number, random: Random): string {
  let text = ''
  for (let at = 0; at < count; at++) text += random.below(10)
  return text
}
