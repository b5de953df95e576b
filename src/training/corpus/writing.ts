// What is written to inform many: report, press release, academic paper.
import type { DocumentKind } from './kinds.ts'

export const REPORT: DocumentKind = {
  label: 'report',
  train: {
    en: [
      `(Annual report {year}|Quarterly report|Progress report|Market report|Project status report|Audit report): {topic}
(Prepared by|Author): {person}, {department}, {date}
(Executive summary|Summary)
(This report (analyses|examines|reviews) {topic} at {company} in {year}.|In {year} {topic} (improved|declined) by {percent}.)
(Findings|Key findings|Results)
2-4*(Revenue|Costs|Output|Demand|The number of cases) (rose|fell|grew) (by {percent}|from {money} to {money}) (compared with the previous year|in the {month} quarter), (mainly because of|driven by) {topic}.
?Figure {n} shows (the trend|the breakdown by region). Table {n} lists the details.
(Risks|Challenges): {topic}, {topic}
(Conclusions and recommendations|Recommendations|Outlook)
(We recommend|Management should|It is recommended to) (invest in|review|extend) {topic} (by {date}|in the coming year).`,
      `{company} – status report week {n}
Project: {topic}   Reporting period: {date} – {date}   Overall status: (green|amber|red)
Completed this period: {topic}; {percent} of milestones reached
Planned for next period: {topic}
Budget: {money} of {money} used ({percent}). Issues and risks: {topic}, mitigation under way.`,
      `Inspection report no. {code}
Site: {address}   Inspector: {person}   Date of inspection: {date}
Background: an inspection of {topic} was carried out after (an incident|a complaint|the annual plan).
1-3*Observation {n}: {thing} (worn|in good condition|missing). Severity (low|medium|high).
Overall assessment: satisfactory. Follow-up inspection advised in {month} {year}.`,
    ],
    de: [
      `(Jahresbericht {year}|Quartalsbericht|Projektbericht|Prüfbericht|Lagebericht): {topic}
Verfasst von {person}, {department}, {date}
(Zusammenfassung|Überblick)
Der Bericht untersucht {topic} bei {company}.
(Ergebnisse|Analyse)
2-4*(Der Umsatz|Die Kosten|Die Nachfrage) (stieg|sank|stiegen) gegenüber dem Vorjahr um {percent}, vor allem wegen {topic}.
(Empfehlungen|Fazit und Ausblick): Wir empfehlen, {topic} (auszubauen|zu prüfen). Siehe Abbildung {n} und Tabelle {n}.`,
    ],
    es: [
      `(Informe anual {year}|Informe trimestral|Informe de proyecto|Informe de auditoría): {topic}
Elaborado por {person}, {department}, {date}
(Resumen ejecutivo|Resumen)
El presente informe analiza {topic} en {company}.
(Resultados|Hallazgos)
2-4*(Los ingresos|Los costes|La demanda) (aumentaron|disminuyeron|creció) un {percent} respecto al año anterior, principalmente por {topic}.
(Recomendaciones|Conclusiones): se recomienda (ampliar|revisar) {topic}. Véase la figura {n} y la tabla {n}.`,
    ],
  },
  test: {
    en: [
      `{topic}: situation and trends in {city}
Compiled for the management of {company}, {month} {year}
Overview. Over the last {n} months the indicators moved as follows.
2-4*{department}: {percent} above plan; the deviation of {money} is explained by {topic}.
Analysis. The data suggest that {topic} remains the main driver, see chart {n}.
Proposed measures: reinforce {topic}; monitor quarterly; reassess in {year}.`,
      `Evaluation of the {topic} programme, final report to {company}
Contents: 1 Introduction, 2 Approach, 3 What we found, 4 Lessons learnt
We interviewed {number} stakeholders and reviewed {number} files. {percent} of targets were met.
Weaknesses remain in {topic}. The consultants suggest {n} improvements with an estimated cost of {money}.`,
    ],
    de: [
      `{topic}: Entwicklung im Geschäftsjahr {year}
Erstellt für die Leitung von {company}
2-4*Im Bereich {department} lagen die Werte {percent} über Plan; Ursache ist {topic}.
Bewertung: Die Lage ist insgesamt stabil. Vorgeschlagene Maßnahmen: {topic} stärken, Kennzahlen vierteljährlich auswerten.`,
    ],
    es: [
      `{topic}: evolución en el ejercicio {year}
Preparado para la dirección de {company}
2-4*En el área de {department} los indicadores se situaron un {percent} por encima de lo previsto debido a {topic}.
Valoración: la situación es estable. Medidas propuestas: reforzar {topic} y evaluar cada trimestre.`,
    ],
  },
}

export const PRESS_RELEASE: DocumentKind = {
  label: 'press-release',
  train: {
    en: [
      `(FOR IMMEDIATE RELEASE|PRESS RELEASE|News release|Press release)
{brand} (launches|announces|unveils|acquires|opens) (new {thing}|{brand}|partnership with {brand}|new site in {city})
{city}, {date} – {company}, a leading provider of {service}, today announced (the launch of its new {thing}|a strategic partnership|record results for {year}).
"(We are (thrilled|proud|excited) to|This milestone allows us to) (bring {topic} to our customers|expand into {city})," said {person}, {role} (at|of) {brand}.
The (new product|initiative) will be available from {month} {year} (at a price of {money}|in all regions).
About {brand}
{company} was founded in {year} and is headquartered in {city}. It employs {number} people. For more information visit {url}.
(Media contact|Press contact|Contact): {person}, {email}, {phone}
?###`,
      `{brand} wins award for {topic}
{date}, {city}. {company} has been named (winner|finalist) of the {city} Innovation Award {year}.
"Our team has worked hard for this recognition", {role} {person} said. "{topic} is at the heart of what we do."
Notes to editors: high-resolution images are available at {url}. Press office: {phone}. Embargoed until {date}.`,
    ],
    de: [
      `(PRESSEMITTEILUNG|Pressemitteilung|Medienmitteilung|Presseinformation)
{brand} (stellt neue {thing} vor|eröffnet Standort in {city}|übernimmt {brand})
{city}, {date} – Die {company}, führender Anbieter von {service}, gibt (den Start|die Übernahme) bekannt.
„Wir freuen uns, {topic} voranzubringen“, sagt {person}, {role} von {brand}.
Über {brand}: Das Unternehmen wurde {year} gegründet und beschäftigt {number} Mitarbeiter.
(Pressekontakt|Ansprechpartner für die Presse): {person}, {email}, {phone}. Abdruck honorarfrei`,
    ],
    es: [
      `(NOTA DE PRENSA|Comunicado de prensa|PARA DIFUSIÓN INMEDIATA)
{brand} (lanza un nuevo {thing}|abre sede en {city}|anuncia una alianza con {brand})
{city}, {date}. {company}, empresa líder en {service}, ha anunciado hoy (el lanzamiento|resultados récord en {year}).
«Estamos (orgullosos|encantados) de impulsar {topic}», ha declarado {person}, {role} de {brand}.
Acerca de {brand}: fundada en {year}, cuenta con {number} empleados.
Contacto de prensa: {person}, {email}, {phone}`,
    ],
  },
  test: {
    en: [
      `{brand} and {brand} join forces on {topic}
({city}, {date}) The two companies revealed today that they will cooperate worldwide.
{person}, {role}, comments: "Customers have been waiting for this. Together we set a new standard."
The first joint offering ships in {month}. Journalists are invited to the presentation on {date} at {time}; please register with {email}.
{brand} in brief: {number} employees, present in {n} countries, listed in {city}.`,
      `Media statement
{company} responds to {topic}
{city} / {date} - "We take this very seriously and have already acted", stated spokesperson {person}.
The firm will publish further news at {url}/newsroom. Reporters can reach the communications team under {phone}.
About the company: market leader in {service} since {year}.`,
    ],
    de: [
      `{brand} und {brand} bündeln ihre Kräfte
({city}, {date}) Die beiden Unternehmen gaben heute ihre Zusammenarbeit bei {topic} bekannt.
{person}, {role}: „Darauf haben unsere Kunden gewartet.“ Journalisten sind am {date} zur Vorstellung eingeladen.
Bildmaterial unter {url}. Rückfragen der Redaktionen: {email}`,
    ],
    es: [
      `{brand} y {brand} unen fuerzas
({city}, {date}) Las dos compañías han presentado hoy su colaboración en {topic}.
{person}, {role}, comenta: «Nuestros clientes lo esperaban». Los periodistas pueden acreditarse en {email}.
Sobre la compañía: {number} trabajadores y presencia en {n} países. Gabinete de comunicación: {phone}`,
    ],
  },
}

export const ACADEMIC_PAPER: DocumentKind = {
  label: 'academic-paper',
  train: {
    en: [
      `(On the effect of {topic}|A study of {topic}|Towards better {topic}|{topic}: a systematic review|Modelling {topic} with {skill})
{person}, {person} and {person}
(Department of (Economics|Physics|Computer Science|Medicine)|Institute for Advanced Studies), University of {city}
Abstract. (We (study|propose|present|investigate)|This paper (examines|introduces)) (a novel method for|the relation between|a model of) {topic}. (We find|Results show|Our experiments demonstrate) (a significant effect (p < 0.0{n})|an improvement of {percent} over the baseline).
Keywords: {topic}, {topic}
1 Introduction. (Previous work|Prior research|The literature) ({last} et al., {year}; {last} and {last}, {year}) has (shown|argued|focused on) that {topic} matters [{n}].
2 (Methods|Methodology|Related work). We (sampled n = {number} participants|used a linear regression|trained a neural network|conducted semi-structured interviews).
3 (Results|Experiments). Table {n} (reports|shows) the (coefficients|accuracy|means and standard deviations). The (hypothesis|null hypothesis) was rejected.
4 (Discussion|Conclusion|Limitations). (Future work|Further research) should address {topic}.
References
2-4*[{n}] {last}, {first}. ({year}). {topic}. Journal of Applied Research, {n}({n}), {number}–{number}.`,
      `Background: {topic} is a major concern. Objective: to determine whether {topic} is associated with {topic}.
Methods: a (randomised controlled trial|cohort study|cross-sectional survey) with {number} (patients|subjects|students) was (conducted|performed) between {year} and {year}.
Results: the (mean difference|odds ratio|correlation) was {n}.{n} (95% CI {n}.{n} to {n}.{n}; p = 0.0{n}).
Conclusions: (our findings suggest|there is evidence) that {topic} should be considered. doi:10.{digits}`,
    ],
    de: [
      `(Zur Wirkung von {topic}|Eine empirische Studie zu {topic}|{topic}: eine Untersuchung)
{person}, {person}, Universität {city}
(Zusammenfassung|Abstract). In diesem Beitrag wird {topic} untersucht. Die Ergebnisse zeigen einen signifikanten Zusammenhang (p < 0,0{n}).
1 Einleitung. In der Literatur ({last}, {year}; {last} et al., {year}) wurde gezeigt, dass {topic} bedeutsam ist.
2 Methode. Es wurden n = {number} Probanden befragt. 3 Ergebnisse. Die Hypothese wurde bestätigt.
4 Diskussion. Weitere Forschung ist nötig. Literatur
2-3*{last}, {first} ({year}): {topic}. Zeitschrift für Forschung {n}, S. {number}-{number}.`,
    ],
    es: [
      `(Sobre el efecto de {topic}|Un estudio empírico de {topic}|{topic}: una revisión)
{person} y {person}, Universidad de {city}
Resumen. Este artículo estudia {topic}. Los resultados muestran una relación significativa (p < 0,0{n}).
Palabras clave: {topic}, {topic}
1. Introducción. La literatura ({last}, {year}; {last} et al., {year}) señala que {topic} es relevante.
2. Metodología. Muestra de n = {number} participantes. 3. Resultados. Se confirma la hipótesis.
4. Discusión y conclusiones. Referencias
2-3*{last}, {first} ({year}). {topic}. Revista de Investigación, {n}({n}), {number}-{number}.`,
    ],
  },
  test: {
    en: [
      `{topic} revisited: evidence from {city}
{first} {last} (corresponding author), {person}
School of Engineering, {city} Technical University. Received {date}, accepted {date}
Summary: Theory predicts that {topic} depends on {topic}. Using panel data for {number} firms we estimate the elasticity and discuss identification.
Our approach extends the framework of {last} ({year}). Equation ({n}) defines the likelihood; standard errors are clustered.
Robustness checks confirm the estimates. Acknowledgements: funded by the Science Foundation under grant {digits}.
Bibliography: {last}, {year}; {last} & {last}, {year}.`,
      `We introduce an algorithm for {topic} and prove that it converges.
Theorem {n}. Let x be bounded; then the error decreases exponentially. Proof. By induction, see Appendix A.
On {n} benchmark datasets the algorithm outperforms the state of the art [{n}, {n}] by {percent}; ablations are in Section {n}.
{person}, {person}. Preprint, {month} {year}. University of {city}`,
    ],
    de: [
      `{topic} im Wandel: Befunde aus {city}
{person} (Technische Hochschule {city}), eingereicht am {date}
Theoretisch hängt {topic} von {topic} ab. Anhand von Paneldaten schätzen wir das Modell nach {last} ({year}).
Gleichung ({n}) beschreibt die Varianz; die Standardfehler sind robust. Danksagung: gefördert durch die Forschungsgemeinschaft. Quellen: {last} {year}; {last} {year}`,
    ],
    es: [
      `{topic} en {city}: nueva evidencia
{person} (Universidad Politécnica de {city}), recibido el {date}
La teoría predice que {topic} depende de {topic}. Con datos de panel estimamos el modelo de {last} ({year}).
La ecuación ({n}) define la varianza; los errores estándar son robustos. Agradecimientos. Bibliografía: {last}, {year}; {last}, {year}`,
    ],
  },
}
