// Words that mean about the same, a line each: English first, then German, then Spanish. Written for Troupe. The embedder
// learns from them that a bill is an invoice, and that a German question may have an English answer.

const LINES = `
invoice bill billing Rechnung Faktura factura
pay paid payment remittance bezahlen zahlen Zahlung pagar pago
price cost costs fee charge Preis Kosten Gebühr precio costo coste tarifa
buy bought purchase acquire kaufen gekauft Kauf erwerben comprar compra adquirir
sell sold sale sales vendor verkaufen Verkauf Verkäufer vender venta ventas vendedor
customer client buyer Kunde Kunden Kundin cliente clientes comprador
supplier provider Lieferant Anbieter proveedor
order orders Bestellung Auftrag pedido orden
deliver delivery shipment shipping Lieferung liefern Versand entrega envío
contract agreement treaty Vertrag Vereinbarung Abkommen contrato acuerdo tratado convenio
law legal statute legislation Gesetz Recht rechtlich ley derecho legal legislación
court judge trial Gericht Richter Prozess tribunal juez juicio
company firm corporation enterprise business Unternehmen Firma Gesellschaft Betrieb empresa compañía sociedad negocio
employee worker staff personnel Mitarbeiter Angestellte Arbeiter Personal empleado trabajador personal plantilla
employer Arbeitgeber empleador
job work employment labour Arbeit Beschäftigung Stelle trabajo empleo
salary wage wages pay Gehalt Lohn salario sueldo
money funds cash Geld Mittel Bargeld dinero fondos efectivo
bank account Bank Konto banco cuenta
loan credit debt Kredit Darlehen Schulden préstamo crédito deuda
tax taxes taxation Steuer Steuern impuesto impuestos
profit gain earnings Gewinn Ertrag beneficio ganancia
loss losses Verlust Verluste pérdida pérdidas
revenue turnover income Umsatz Einnahmen Einkommen ingresos facturación renta
insurance insurer Versicherung Versicherer seguro aseguradora
market trade commerce Markt Handel mercado comercio
economy economic Wirtschaft wirtschaftlich economía económico
increase rise grow growth Anstieg steigen Wachstum Zunahme aumento crecer crecimiento subir
decrease decline fall drop reduction Rückgang sinken Abnahme fallen disminución descenso reducción caída
report study analysis Bericht Studie Analyse informe estudio análisis
research researcher scientist Forschung Forscher Wissenschaftler investigación investigador científico
science scientific Wissenschaft wissenschaftlich ciencia científica
result results outcome finding Ergebnis Ergebnisse resultado resultados hallazgo
method approach technique procedure Methode Verfahren Ansatz método técnica procedimiento
test trial experiment Versuch Experiment Prüfung prueba ensayo experimento
measure measurement Messung messen medir medición
data information Daten Information datos información
number figure count amount Zahl Anzahl Menge número cantidad cifra
many much numerous viele zahlreiche muchos numerosos
percent percentage share Prozent Anteil porcentaje proporción
average mean Durchschnitt Mittelwert promedio media
big large great huge groß große riesig grande enorme
small little tiny klein kleine gering pequeño
high tall hoch hohe höher alto elevado
low niedrig tief bajo
long longest lang lange längste largo
short kurz corto breve
fast quick rapid speed schnell Geschwindigkeit rápido velocidad
slow langsam lento
new recent modern neu neue modern nuevo reciente moderno
old ancient alt alte antik viejo antiguo
first initial erste erster zuerst primero primera inicial
last final latest letzte letzter endgültig último final
best better gut besser beste mejor bueno
bad worse worst schlecht schlechter peor malo
important significant major wichtig bedeutend importante significativo
main chief principal Haupt hauptsächlich principal
same equal identical gleich dasselbe identisch mismo igual idéntico
different difference unterschiedlich anders Unterschied diferente distinto diferencia
begin began start started beginnen begann Anfang empezar comenzar inicio comienzo
end ended finish stop enden Ende beenden fin terminar final
year years annual Jahr Jahre jährlich año años anual
month monthly Monat monatlich mes mensual
week weekly Woche wöchentlich semana semanal
day daily Tag täglich día diario
hour Stunde hora
minute Minute minuto
century Jahrhundert siglo
time period era Zeit Zeitraum Epoche tiempo período época
today now current heute jetzt aktuell hoy ahora actual
early früh frühe temprano
late spät später tarde
January Januar enero
February Februar febrero
March März marzo
May Mai mayo
June Juni junio
July Juli julio
August agosto
October Oktober octubre
December Dezember diciembre
spring Frühling primavera
summer Sommer verano
autumn fall Herbst otoño
winter Winter invierno
city town urban Stadt Städte städtisch ciudad urbano pueblo
village Dorf aldea pueblo
country nation state Land Staat Nation país nación estado
government administration Regierung Verwaltung gobierno administración
king queen monarch royal König Königin königlich rey reina monarca real
president Präsident presidente
minister ministry Minister Ministerium ministro ministerio
parliament Parlament parlamento
election vote elected Wahl gewählt Abstimmung elección voto elegido
party political politics Partei Politik politisch partido política político
war battle fight Krieg Schlacht Kampf guerra batalla lucha
army military troops soldier Armee Heer Militär Truppen Soldat ejército militar tropas soldado
peace Frieden paz
attack invasion Angriff Überfall ataque invasión
victory win won winner Sieg gewinnen gewann Sieger victoria ganar ganó ganador
defeat lose lost Niederlage verlieren verlor derrota perder perdió
death die died dead Tod sterben starb tot muerte morir murió muerto
birth born Geburt geboren nacimiento nacido nació
kill killed töten getötet matar muerto
life live living alive Leben leben lebte vida vivir vivo
people person population human Menschen Person Bevölkerung Leute personas gente población humano
man men male Mann Männer männlich hombre hombres masculino
woman women female Frau Frauen weiblich mujer mujeres femenino
child children kid Kind Kinder niño niños hijo
boy Junge muchacho chico
girl Mädchen chica muchacha
family Familie familia
father Vater padre
mother Mutter madre
brother Bruder hermano
sister Schwester hermana
husband wife spouse Ehemann Ehefrau Gatte marido esposa
friend Freund Freundin amigo amiga
enemy Feind enemigo
name named called Name genannt heißt nombre llamado llama
language speak spoken Sprache sprechen gesprochen idioma lengua hablar
word words Wort Wörter palabra palabras
book author write written writer Buch Autor schreiben Schriftsteller libro autor escribir escritor
letter Brief carta
newspaper press Zeitung Presse periódico prensa
story history Geschichte historia
school teacher pupil Schule Lehrer Schüler escuela colegio maestro profesor alumno
university college Universität Hochschule universidad
student students Student Studenten Studierende estudiante estudiantes
learn education teach lernen Bildung Ausbildung lehren aprender educación enseñar
music song musician Musik Lied Musiker música canción músico
film movie cinema Film Kino película cine
theatre theater play Theater Schauspiel teatro obra
art artist painting painter Kunst Künstler Gemälde Maler arte artista pintura pintor
museum Museum museo
church religion religious faith Kirche Religion religiös Glaube iglesia religión religioso fe
god Gott dios
house home building Haus Gebäude Heim casa edificio hogar
room Zimmer Raum habitación sala
door Tür puerta
street road way Straße Weg calle carretera camino
bridge Brücke puente
garden park Garten Park jardín parque
river stream Fluss Strom río
sea ocean Meer See Ozean mar océano
lake lago See
mountain mountains Berg Berge Gebirge montaña montañas
forest woods wood Wald Wälder bosque madera
island Insel isla
coast beach Küste Strand costa playa
desert Wüste desierto
water Wasser agua
air Luft aire
fire Feuer Brand fuego incendio
earth soil ground Erde Boden tierra suelo
sun solar Sonne solar sol
moon Mond luna
star stars Stern Sterne estrella estrellas
sky Himmel cielo
weather climate Wetter Klima clima tiempo
rain Regen lluvia
snow Schnee nieve
wind Wind viento
heat hot warm temperature Hitze heiß Wärme Temperatur calor caliente temperatura
cold kalt Kälte frío
energy power Energie Kraft energía potencia
oil petroleum Öl Erdöl petróleo aceite
gas Gas gas
coal Kohle carbón
electricity electric Strom Elektrizität elektrisch electricidad eléctrico
steam Dampf vapor
engine motor machine Motor Maschine motor máquina
car vehicle automobile Auto Fahrzeug Wagen coche vehículo automóvil
train railway Zug Eisenbahn Bahn tren ferrocarril
ship boat vessel Schiff Boot barco buque
aircraft plane airport Flugzeug Flughafen avión aeropuerto
traffic transport Verkehr Transport tráfico transporte
travel journey trip Reise reisen viaje viajar
animal animals Tier Tiere animal animales
dog Hund perro
cat Katze gato
horse Pferd caballo
bird Vogel Vögel pájaro ave
fish Fisch Fische pez pescado
plant plants Pflanze Pflanzen planta plantas
tree trees Baum Bäume árbol árboles
flower Blume flor
food eat meal Essen Nahrung Lebensmittel comida alimento comer
bread Brot pan
meat Fleisch carne
milk Milch leche
fruit Obst Frucht fruta
drink beverage Getränk trinken bebida beber
doctor physician Arzt Ärztin médico doctor
hospital clinic Krankenhaus Klinik hospital clínica
patient patients Patient Patienten paciente pacientes
disease illness sickness disorder Krankheit Erkrankung enfermedad trastorno
treatment therapy cure Behandlung Therapie Heilung tratamiento terapia cura
drug medicine medication Medikament Arznei medicamento fármaco
surgery surgical operation Operation chirurgisch cirugía quirúrgico operación
cancer tumor tumour carcinoma Krebs Tumor cáncer tumor
heart cardiac Herz corazón cardíaco
blood Blut sangre
brain cerebral Gehirn Hirn cerebro
bone bones Knochen hueso
skin Haut piel
cell cells Zelle Zellen célula células
immune immunity Immunsystem Immunität inmune inmunidad
virus bacteria infection Virus Bakterien Infektion virus bacterias infección
pain Schmerz Schmerzen dolor
risk danger hazard Risiko Gefahr riesgo peligro
safety secure security Sicherheit sicher seguridad seguro
health healthy Gesundheit gesund salud sano
age elderly aged Alter Senioren edad anciano
weight Gewicht peso
body Körper cuerpo
hand Hand mano
eye vision Auge Augen ojo ojos visión
head Kopf cabeza
chemical chemistry element Chemie chemisch Element química químico elemento
oxygen Sauerstoff oxígeno
hydrogen Wasserstoff hidrógeno
carbon Kohlenstoff carbono
iron Eisen hierro
gold Gold oro
silver Silber plata
steel Stahl acero
metal Metall metal
stone rock Stein Fels piedra roca
glass Glas vidrio cristal
paper Papier papel
clothes clothing Kleidung ropa
colour color Farbe color
red rot rojo
blue blau azul
green grün verde
white weiß blanco
black schwarz negro
light Licht luz
force Kraft fuerza
mass Masse masa
space Raum Weltraum espacio
theory Theorie teoría
law principle Prinzip Grundsatz principio
problem issue difficulty Problem Schwierigkeit problema dificultad
solution solve Lösung lösen solución resolver
question ask Frage fragen pregunta preguntar
answer reply response Antwort antworten respuesta contestar
reason cause why Grund Ursache warum causa razón motivo
effect impact influence Wirkung Einfluss efecto impacto influencia
change changed Änderung Veränderung cambio cambiar
build built construct construction bauen gebaut errichtet Bau construir construido construcción
create created made produce schaffen erstellt hergestellt crear creado hecho producir
found founded establish gegründet gründen fundado fundar establecer
discover discovered find entdeckt finden descubierto descubrir encontrar
invent inventor invention erfunden Erfinder Erfindung inventar inventor invención
develop development entwickeln Entwicklung desarrollar desarrollo
use used usage verwenden benutzt Nutzung usar utilizado uso
need require required brauchen benötigen erforderlich necesitar requerido
help support assist helfen Hilfe Unterstützung ayudar ayuda apoyo
allow permit permitted erlauben Erlaubnis permitir permiso
forbid ban prohibit verbieten Verbot prohibir prohibición
protect protection schützen Schutz proteger protección
control manage management kontrollieren Leitung Verwaltung controlar gestión dirección
lead leader head führen Leiter Anführer liderar líder jefe
member members Mitglied Mitglieder miembro miembros
group team Gruppe Mannschaft Team grupo equipo
player players Spieler jugador jugadores
game match Spiel Partie juego partido
sport football Sport Fußball deporte fútbol
coach trainer Trainer entrenador
season Saison temporada
goal score points Tor Punkte Ziel gol puntos
champion championship title Meister Meisterschaft Titel campeón campeonato título
meeting session Sitzung Besprechung Treffen reunión sesión
decision decide resolved Entscheidung entscheiden Beschluss decisión decidir
plan planning Plan Planung plan planificación
project Projekt proyecto
program programme Programm programa
computer software Rechner Computer Software ordenador computadora software
network Netz Netzwerk red
machine learning algorithm Algorithmus algoritmo
error mistake fault failure Fehler Irrtum error fallo
password Passwort Kennwort contraseña
privacy Datenschutz privacidad
rule rules policy guideline Regel Regeln Richtlinie regla norma política
right rights Recht Rechte derecho derechos
duty obligation Pflicht Verpflichtung deber obligación
crime criminal police Verbrechen Straftat Polizei crimen delito policía
prison Gefängnis prisión cárcel
slave slavery Sklave Sklaverei esclavo esclavitud
freedom liberty free Freiheit frei libertad libre
north northern Norden nördlich norte septentrional
south southern Süden südlich sur meridional
east eastern Osten östlich este oriental
west western Westen westlich oeste occidental
left links izquierda
right rechts derecha
centre center middle Zentrum Mitte centro medio
border boundary Grenze frontera límite
region area district Region Gebiet Bezirk región área zona distrito
place location site Ort Stelle Standort lugar sitio ubicación
capital Hauptstadt capital
origin source Ursprung Herkunft origen fuente
type kind sort Art Typ Sorte tipo clase
part piece section Teil Stück Abschnitt parte pieza sección
whole total entire ganz gesamt total entero
one single eins einzig uno único
two zwei dos
three drei tres
four vier cuatro
five fünf cinco
six sechs seis
seven sieben siete
ten zehn diez
hundred hundert cien
thousand tausend mil
million Million Millionen millón millones
billion Milliarde Milliarden
Germany German Deutschland deutsch Alemania alemán
France French Frankreich französisch Francia francés
England English Britain British Großbritannien britisch Inglaterra inglés británico
Spain Spanish Spanien spanisch España español
Italy Italian Italien italienisch Italia italiano
Russia Russian Russland russisch Rusia ruso
China Chinese China chinesisch China chino
Japan Japanese Japan japanisch Japón japonés
America American Amerika amerikanisch América americano estadounidense
Africa African Afrika afrikanisch África africano
Europe European Europa europäisch europeo
Poland Polish Polen polnisch Polonia polaco
Rome Roman Rom römisch Roma romano
Greece Greek Griechenland griechisch Grecia griego
India Indian Indien indisch India indio
Turkey Turkish Türkei türkisch Turquía turco
Christian Christianity Christ Christentum cristiano cristianismo
Muslim Islam Islamic muslimisch islamisch musulmán islámico
Jewish Jews jüdisch Juden judío judíos
`

export const CONCEPTS: string[] = LINES.trim().split('\n')

/** Words that stand in every text and tell nothing about it. */
export const COMMON_WORDS: string[] = `
the a an of to in and or for on with by at from as is are was were be been being it its this that these those which who whom whose
what when where how why do does did done has have had having not no nor but if than then so such can could may might must shall should
will would there their they them he she his her him we our us you your i my me into about over after before between during through
under out up down more most other some any each all both only also very just because while against per via among within without
one two first new used using use however same own too many much since until
der die das den dem des ein eine einer eines einem einen und oder aber nicht kein keine ist sind war waren wird werden wurde wurden
sein seine ihr ihre es sie er wir ich du mit von zu zum zur im in an am auf für bei aus nach vor über unter durch um als wie was wer
wo wann warum welche welcher welches dass wenn weil auch nur noch schon so sich hat haben hatte kann können konnte muss soll dieser
diese dieses man mehr sehr
el la los las un una unos unas de del al y e o u en con por para sin sobre entre hasta desde que qué quién quien cuál cual cuáles cómo
como cuándo cuando dónde donde es son era eran fue fueron ser sido está están ha han había no sí se su sus lo le les más muy también
pero si porque este esta estos estas ese esa eso cada todo toda todos todas otro otra mi tu nos
le les des est une dans pour que qui sur avec il elle
`
  .trim()
  .split(/\s+/)
