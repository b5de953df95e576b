// What binds and what prescribes: contract, policy, specification.
import type { DocumentKind } from './kinds.ts'

export const CONTRACT: DocumentKind = {
  label: 'contract',
  train: {
    en: [
      `(AGREEMENT|SERVICE AGREEMENT|CONTRACT|EMPLOYMENT CONTRACT|LEASE AGREEMENT|NON-DISCLOSURE AGREEMENT)
This (Agreement|Contract) is (made|entered into) (on|as of) {date} (by and between|between) {company}, {address} ("the (Client|Company|Landlord|Employer)") and {person}, {address} ("the (Contractor|Supplier|Tenant|Employee)").
?WHEREAS the parties wish to cooperate in {topic}; NOW, THEREFORE, the parties agree as follows:
1. (Scope|Services|Subject matter). The Contractor shall provide {service} as set out in Schedule A.
2. (Fees|Payment|Remuneration|Rent). The Client shall pay {money} (per month|in total), (payable in advance|within 30 days).
3. (Term and termination|Duration). This Agreement commences on {date} and may be terminated by either party with {n} months' written notice.
?4. Confidentiality. Neither party shall disclose confidential information to third parties.
?5. (Limitation of liability|Indemnity). In no event shall either party be liable for indirect damages. The Contractor shall indemnify the Client.
(Governing law|Applicable law and jurisdiction). This Agreement shall be governed by the laws of {city}.
IN WITNESS WHEREOF the parties have executed this Agreement. Signed: {person} {person}`,
      `(Terms of engagement|Licence agreement|Sales contract|Loan agreement) between {company} (hereinafter "the first party") and {company} (hereinafter "the second party")
Article 1 – Definitions. In this contract the following terms have the meaning given to them.
Article 2 – Obligations. The second party undertakes to (deliver {thing}|perform {service}|repay the sum of {money}).
Article 3 – (Warranty|Default|Force majeure). Neither party is in breach where performance is prevented by events beyond its reasonable control.
?Article 4 – Entire agreement. This contract supersedes all prior agreements; amendments must be in writing.
Done at {city} on {date} in two originals. For the first party: {person}. For the second party: {person}.`,
    ],
    de: [
      `(VERTRAG|Dienstleistungsvertrag|Arbeitsvertrag|Mietvertrag|Kaufvertrag)
zwischen {company}, {address} – nachfolgend „(Auftraggeber|Vermieter|Arbeitgeber|Verkäufer)“ –
und {person}, {address} – nachfolgend „(Auftragnehmer|Mieter|Arbeitnehmer|Käufer)“ –
§ 1 Vertragsgegenstand. Der Auftragnehmer erbringt {service}.
§ 2 (Vergütung|Miete|Kaufpreis). Die Vergütung beträgt {amount} EUR (monatlich|insgesamt).
§ 3 (Laufzeit und Kündigung|Kündigungsfrist). Der Vertrag beginnt am {date} und kann mit einer Frist von {n} Monaten schriftlich gekündigt werden.
?§ 4 Haftung. Die Parteien haften nur bei Vorsatz und grober Fahrlässigkeit.
§ 5 Schlussbestimmungen. Änderungen bedürfen der Schriftform. Gerichtsstand ist {city}.
{city}, den {date} Unterschriften`,
    ],
    es: [
      `(CONTRATO DE PRESTACIÓN DE SERVICIOS|CONTRATO DE ARRENDAMIENTO|CONTRATO DE TRABAJO|CONTRATO DE COMPRAVENTA)
En {city}, a {date}, REUNIDOS de una parte {company} (en adelante, el (Cliente|Arrendador)) y de otra {person} (en adelante, el (Proveedor|Arrendatario)).
EXPONEN y acuerdan las siguientes CLÁUSULAS:
PRIMERA. Objeto. El Proveedor prestará {service}.
SEGUNDA. Precio. El Cliente abonará {amount} euros (mensuales|en total).
TERCERA. Duración. El contrato entra en vigor el {date} y podrá resolverse con {n} meses de preaviso.
?CUARTA. Confidencialidad. Las partes se obligan a guardar secreto.
Y en prueba de conformidad firman ambas partes. Jurisdicción: {city}`,
    ],
  },
  test: {
    en: [
      `Consultancy deed
Parties: (1) {company} (the Purchaser); (2) {company} (the Consultant)
It is hereby agreed:
1.1 The Consultant will render {service} with reasonable skill and care.
1.2 In consideration thereof the Purchaser will pay a fee of {money}.
2.1 Either party may terminate forthwith upon material breach by the other.
2.2 Disputes arising out of this deed are subject to the exclusive jurisdiction of the courts of {city}.
Executed as a deed on {date} by the duly authorised representatives of the parties.`,
      `Rental of premises
The owner {person} lets to the renter {person} the flat at {address} from {date} for a term of {n} years.
The monthly rent is {money}; a deposit of {money} is due on signature. Subletting requires the owner's prior written consent.
The renter shall keep the premises in good condition. If any clause is held invalid, the remaining clauses stay in force.
Both parties have read and accept these provisions. Signature of owner, signature of renter, {date}`,
    ],
    de: [
      `Vereinbarung über {service}
Die Parteien {company} und {company} vereinbaren Folgendes:
1. Der Dienstleister verpflichtet sich zur Ausführung der Leistungen nach Anlage 1.
2. Als Entgelt werden {amount} EUR vereinbart. 3. Eine ordentliche Kündigung ist zum Quartalsende zulässig.
4. Sollte eine Bestimmung unwirksam sein, bleibt der Vertrag im Übrigen wirksam. Unterzeichnet in {city} am {date}`,
    ],
    es: [
      `Acuerdo de colaboración entre {company} y {company}
Las partes convienen: 1. La contratista se obliga a ejecutar {service}.
2. La contraprestación asciende a {amount} euros. 3. El incumplimiento facultará a la otra parte para rescindir el presente acuerdo.
4. Las controversias se someterán a los tribunales de {city}. Firmado por duplicado el {date}`,
    ],
  },
}

export const POLICY: DocumentKind = {
  label: 'policy',
  train: {
    en: [
      `(Information security policy|Travel expense policy|Code of conduct|Data protection policy|Privacy policy|Remote work policy|Health and safety policy|Anti-bribery policy)
{company} | Version {n} | (Effective date|Effective from): {date} | (Owner|Policy owner): {department}
1. Purpose. This policy (sets out|defines|describes) how {company} deals with {topic}.
2. Scope. It applies to all (employees|staff, contractors and visitors|users of our services).
3. (Responsibilities|Policy statement). (Managers|Employees) (must|are required to|are expected to) (report incidents to {department}|complete annual training|keep passwords secret|obtain approval in advance).
2-4*(Employees must not|It is prohibited to|All staff should|Exceptions require the approval of {department}:) (share accounts|accept gifts above {money}|work without protective equipment|store personal data longer than needed|book business class).
(Breaches of|Failure to comply with|Violations of) this policy may lead to disciplinary action.
(This policy is reviewed annually|Review date: {date}|Questions go to {email}).`,
      `{brand} privacy notice
We respect your privacy. This notice explains what personal data we collect, why we process it and what rights you have.
(We collect|Data we process): your name, contact details and (usage data|cookies|payment data).
We do not sell your data. We keep it for {n} years. You may (request access, correction or deletion|withdraw your consent) at any time.
Contact our data protection officer: {email}. Last updated: {date}`,
    ],
    de: [
      `(Richtlinie|Datenschutzrichtlinie|Verhaltenskodex|Reisekostenrichtlinie|IT-Sicherheitsrichtlinie) der {company}
Gültig ab: {date} Version {n} Verantwortlich: {department}
1. Zweck. Diese Richtlinie regelt den Umgang mit {topic}.
2. Geltungsbereich. Sie gilt für alle Mitarbeiterinnen und Mitarbeiter.
2-3*(Alle Beschäftigten sind verpflichtet|Es ist untersagt|Führungskräfte müssen), (Passwörter geheim zu halten|Vorfälle zu melden|Geschenke über {amount} EUR anzunehmen).
Verstöße (können arbeitsrechtliche Folgen haben|werden geahndet). Die Richtlinie wird jährlich überprüft.`,
    ],
    es: [
      `(Política de privacidad|Política de seguridad|Código de conducta|Política de gastos de viaje) de {company}
Versión {n}, en vigor desde {date}. Responsable: {department}
1. Objeto. Esta política establece las normas sobre {topic}.
2. Ámbito de aplicación. Se aplica a todo el personal.
2-3*(Los empleados deben|Queda prohibido|Es obligatorio) (comunicar los incidentes|compartir contraseñas|solicitar autorización previa).
El incumplimiento de esta política (podrá dar lugar a sanciones|será sancionado). Revisión anual.`,
    ],
  },
  test: {
    en: [
      `Acceptable use rules for company devices ({company})
Who has to follow these rules: everybody who is given a device.
2-4*You are not allowed to (install unapproved software|lend your device|connect private storage|leave it unattended). 
2-3*You must (lock the screen|encrypt files|tell {department} about a loss within {n} hours).
Non-compliance can result in withdrawal of access. Approved by the board on {date}; next revision {year}.`,
      `{brand} returns and complaints guideline for staff
Principles: treat every complainant fairly and within {n} working days.
Roles: the {role} approves refunds above {money}; {department} keeps the register.
2-3*Staff shall (record each complaint|never promise compensation|escalate safety matters).
This guideline replaces the version of {year} and comes into force on {date}.`,
    ],
    de: [
      `Regelung zur Nutzung mobiler Geräte, {company}
Für wen gilt die Regelung: für das gesamte Personal und Externe.
2-4*Nicht erlaubt ist, (Geräte zu verleihen|private Software zu installieren); Verluste sind binnen {n} Stunden an {department} zu melden.
Zuwiderhandlungen führen zum Entzug. In Kraft seit {date}, nächste Überprüfung {year}.`,
    ],
    es: [
      `Normas internas de uso de equipos, {company}
A quién se dirigen: a toda la plantilla y a colaboradores externos.
2-4*No está permitido (prestar el equipo|instalar programas ajenos); las pérdidas deben notificarse a {department} en {n} horas.
La infracción de estas normas supondrá la retirada del acceso. Vigentes desde {date}.`,
    ],
  },
}

export const SPECIFICATION: DocumentKind = {
  label: 'specification',
  train: {
    en: [
      `(Technical specification|Software requirements specification|Product specification|Functional specification|Data sheet)
{brand} {thing} (Revision|Version|Rev.) {n}.{n} {date}
1. (Introduction|Scope): This document specifies the requirements for {topic}.
2. (Functional requirements|Requirements)
3-6*REQ-{number}: The system (shall|must|should) (support {number} concurrent users|respond within {number} ms|log every error|export data as CSV|encrypt data at rest|validate all input).
3. (Interfaces|Non-functional requirements): (REST API over HTTPS|availability {percent}|RS-485, 9600 baud|throughput {number} requests per second).
?4. (Acceptance criteria|Test cases): all tests pass with a tolerance of {percent}.
?(References|Glossary): ISO {number}, IEC {digits}`,
      `{thing} type {code} – (technical data|data sheet|product specification)
3-7*(Dimensions {number} x {number} x {number} mm|Weight {n}.{n} kg|Supply voltage {number} V DC|Operating temperature -{n} to +{number} °C|Protection class IP6{n}|Rated power {number} W|Material stainless steel|Accuracy ±{percent}|Flow rate {number} l/min)
(Mounting|Connection|Ordering code): {code}
Conforms to (EN|ISO|IEC) {number}. Subject to technical changes.`,
    ],
    de: [
      `(Lastenheft|Pflichtenheft|Technische Spezifikation|Datenblatt) {thing}
Version {n}.{n} Stand {date}
1 (Ziel|Einleitung): Dieses Dokument beschreibt die Anforderungen an {topic}.
3-6*Anforderung {number}: Das System muss ({number} Benutzer unterstützen|innerhalb von {number} ms antworten|Fehler protokollieren|Daten verschlüsseln).
3-5*(Abmessungen {number} x {number} mm|Gewicht {n} kg|Betriebsspannung {number} V|Schutzart IP65|Temperaturbereich -{n} bis {number} °C)
Schnittstellen: (REST|Modbus|CAN). Normen: DIN EN {number}`,
    ],
    es: [
      `(Especificación técnica|Pliego de especificaciones|Ficha técnica|Especificación de requisitos) {thing}
Versión {n}.{n} {date}
1. Alcance: este documento especifica los requisitos de {topic}.
3-6*REQ-{number}: El sistema deberá (soportar {number} usuarios|responder en {number} ms|registrar los errores|cifrar los datos).
2-4*(Dimensiones {number} x {number} mm|Peso {n} kg|Tensión {number} V|Temperatura de trabajo -{n} a {number} °C)
Interfaces: API REST. Norma ISO {number}`,
    ],
  },
  test: {
    en: [
      `Interface control document, module {code}
Message format: header {n} bytes, payload {number} bytes, checksum CRC-{n}
3-6*Parameter {number}: type integer, range 0 to {number}, default {n}, unit (ms|bar|°C|rpm)
The receiver shall discard frames whose checksum is wrong. Timeout: {number} ms. Baud rate {number}00.
Design constraints: memory below {number} kB, power consumption max {number} mW.`,
      `User stories and constraints for the {brand} portal, draft {n}
3-5*As a {role} I want to see {topic} so that I can decide; acceptance: result shown within {n} seconds.
Quality attributes: uptime {percent}, response time below {number} ms at {number} users, WCAG level AA.
Out of scope: migration of old data. Dependencies: identity provider, message queue.`,
    ],
    de: [
      `Anforderungskatalog Modul {code}
3-6*F{number}: Die Software soll {topic} anzeigen; Antwortzeit höchstens {number} ms; Priorität hoch
Randbedingungen: Speicher unter {number} MB, Verfügbarkeit {percent}, Protokoll HTTPS
Abnahmekriterium: alle Testfälle bestanden, Toleranz {percent}`,
    ],
    es: [
      `Requisitos del módulo {code}
3-6*RF{number}: la aplicación mostrará {topic}; tiempo de respuesta máximo {number} ms; prioridad alta
Restricciones: memoria inferior a {number} MB, disponibilidad {percent}, protocolo HTTPS
Criterio de aceptación: pruebas superadas con tolerancia {percent}`,
    ],
  },
}
