// Papers of buying and selling: invoice, receipt, purchase order, bank statement.
import type { DocumentKind } from './kinds.ts'

export const INVOICE: DocumentKind = {
  label: 'invoice',
  train: {
    en: [
      `(INVOICE|Invoice|Tax Invoice|VAT Invoice)
{company}
{address}
(Invoice No|Invoice number|Invoice #|Inv. No.): {code}
(Date|Invoice date|Date of issue): {date}
(Due date|Payment due|Please pay by): {date}
?(Customer no.|Account|Client ID): {digits}
(Bill to|Billed to|Invoice to): {company}, {address}
(Description Qty Unit price Amount|Item Quantity Rate Total|No. Description Hours Rate Amount)
2-7*({thing}|{service}) {n} {amount} {amount}
Subtotal {money}
(VAT|Sales tax|Tax|GST) {percent} {amount}
(Total|Total due|Amount due|Balance due|Invoice total): {money}
?(Payment terms: net 30 days|Payment within 14 days of receipt|Terms: 30 days net)
(Please transfer to|Bank details|Pay by bank transfer to): IBAN {iban}
?(Thank you for your business|Late payments are charged interest)`,
      `{company} {address} {phone} {email}
To: {person}, {company}
(INVOICE {code}|Invoice {code} dated {date})
For (professional services|work|services) rendered in {month} {year}
1-4*{service} {number} hours at {money} = {money}
1-3*(Travel expenses|Materials|Disbursements) {money}
Net {amount} VAT {percent} {amount} Gross {amount}
Payable (within {number} days|on receipt|by {date}). Quote the invoice number with your (payment|remittance).
?VAT registration {digits}`,
      `{brand} - billing
Your invoice for {month} {year}
Account number {digits}   Invoice {code}
Previous balance {money}   Payments received {money}
2-4*(Subscription|Usage charges|Monthly plan|Additional seats) {date} {amount}
New charges {money}
Amount due {money} by {date}
We will (charge the card on file|collect this by direct debit). Questions about this invoice? {email}`,
    ],
    de: [
      `(RECHNUNG|Rechnung)
{company} {address}
(Rechnungsnummer|Rechnungs-Nr.): {code}
(Rechnungsdatum|Datum): {date}
(Kundennummer|Kd.-Nr.): {digits}
Pos. Bezeichnung Menge Einzelpreis Gesamt
2-6*{n} ({thing}|{service}) {n} {amount} {amount}
(Nettobetrag|Zwischensumme) {amount} EUR
(zzgl. 19 % MwSt.|Umsatzsteuer 19%) {amount}
(Rechnungsbetrag|Gesamtbetrag|Zu zahlen) {money}
(Zahlbar innerhalb von 14 Tagen ohne Abzug|Bitte überweisen Sie den Betrag bis {date}) auf IBAN {iban}
?USt-IdNr. DE{digits}`,
    ],
    es: [
      `(FACTURA|Factura)
{company} {address}
(Factura n.º|Número de factura): {code}
(Fecha|Fecha de emisión): {date}
(Cliente|Facturar a): {company}, NIF B{digits}
Concepto Cantidad Precio Importe
2-6*({thing}|{service}) {n} {amount} {amount}
Base imponible {amount}
IVA 21% {amount}
(Total factura|Importe total|Total a pagar) {money}
(Forma de pago: transferencia|Vencimiento: {date}) IBAN {iban}`,
    ],
  },
  test: {
    en: [
      `{brand}
Sold to {company}   Ship to {address}
Invoice {digits} / Order ref {code} / {date}
3-6*{code} {thing} {n} x {amount} {amount}
Goods total {amount}  Carriage {amount}  VAT @ 20% {amount}
TO PAY {money}
Remit to account {iban}. Our terms are strictly 30 days from invoice date.`,
      `Invoice
From: {person}, freelance {role}
For: {company}
Ref {code}, {date}
1-3*{service} ({n} days) {money}
Total excluding tax {amount}, tax {amount}, amount payable {money}
Kindly settle this invoice by {date}, account {iban}.`,
    ],
    de: [
      `{company}
An {company}, {address}
Rechnung {code} vom {date}
Für unsere Leistungen im {month} {year} berechnen wir:
1-4*{service}, {number} Stunden, {amount} EUR
Summe netto {amount} EUR, Mehrwertsteuer {amount} EUR, Endbetrag {amount} EUR
Zahlungsziel 30 Tage. Bankverbindung {iban}`,
    ],
    es: [
      `{company}, CIF A{digits}
Factura {code} con fecha {date}
Por los servicios prestados en {month} de {year}:
1-4*{service}: {amount} €
Subtotal {amount} € más IVA {amount} €
Total {amount} €, a pagar antes del {date} en la cuenta {iban}`,
    ],
  },
}

export const RECEIPT: DocumentKind = {
  label: 'receipt',
  train: {
    en: [
      `{brand} (STORE|MARKET|CAFE|PHARMACY|SUPERMARKET) #{number}
{address} TEL {phone}
{date} {time} (TILL|REG|POS) {n} (CASHIER|SERVED BY) {first}
2-9*{thing} {amount}
?(DISCOUNT|LOYALTY SAVING) -{amount}
SUBTOTAL {amount}
TAX {amount}
TOTAL {money}
(CASH {amount} CHANGE {amount}|VISA **** {number} APPROVED|DEBIT CARD CONTACTLESS AUTH {digits})
(THANK YOU FOR SHOPPING WITH US|PLEASE COME AGAIN|Keep your receipt for returns|YOU SAVED {money} TODAY)`,
      `(Receipt|Sales receipt|Cash receipt|Payment receipt)
Receipt no. {code}  {date}
Received from {person}
The sum of {money} for {service}
(Paid by|Payment method): (cash|card|cheque|bank transfer)
Received by {person}, {company}
?Thank you for your payment`,
      `{brand} Taxi and Rides
Trip receipt {date} {time}
From {city} {address} to {city}
Fare {amount} Tip {amount} Tolls {amount}
Total charged {money} to card ending {number}
?Driver: {first}`,
    ],
    de: [
      `{brand} (Markt|Filiale|Apotheke|Bäckerei)
{address} Tel. {phone}
(Kassenbon|Bon-Nr.|Quittung) {number} {date} {time}
2-8*{thing} {amount} (A|B)
SUMME EUR {amount}
(Bar {amount} Rückgeld {amount}|Kartenzahlung girocard {amount})
MwSt 19% {amount} Netto {amount}
(Vielen Dank für Ihren Einkauf|Es bediente Sie {first}|Umtausch nur mit Kassenbon)`,
    ],
    es: [
      `{brand} (SUPERMERCADO|TIENDA|FARMACIA|CAFETERÍA)
{address}
(TICKET|RECIBO|FACTURA SIMPLIFICADA) {number} {date} {time} CAJA {n}
2-8*{thing} {amount}
TOTAL {amount} EUR
(EFECTIVO {amount} CAMBIO {amount}|TARJETA **** {number})
IVA INCLUIDO
(GRACIAS POR SU COMPRA|LE ATENDIÓ {first}|CONSERVE SU TICKET)`,
    ],
  },
  test: {
    en: [
      `Welcome to {brand}
Store {number}, {city}
2-7*{n} @ {amount} {thing} {amount}
Items sold: {n}
Amount {money}
Tendered {money}
Change due {money}
{date} {time} Terminal {n}
No refunds without this slip. Have a nice day!`,
      `{brand} Restaurant
Table {n}  Guests {n}  Server: {first}
2-5*{n} (soup|salad|pasta|grilled fish|coffee|lemonade|cheesecake) {amount}
Food {amount} Service {percent} {amount}
Paid {money} MASTERCARD ****{number}
{date} {time} - customer copy`,
    ],
    de: [
      `{brand} sagt Danke!
2-6*{n} x {thing} {amount}
Zu zahlen {amount} EUR
Gegeben {amount} EUR, zurück {amount} EUR
Kasse {n}, {date}, {time} Uhr. Bitte Beleg aufbewahren.`,
    ],
    es: [
      `{brand} {city}
{date} {time} Mesa {n}
2-5*{n} (café|bocadillo|ensalada|agua mineral|tarta) {amount}
A pagar {amount}
Entregado {amount} Devuelto {amount}
¡Gracias por su visita! Vuelva pronto`,
    ],
  },
}

export const PURCHASE_ORDER: DocumentKind = {
  label: 'purchase-order',
  train: {
    en: [
      `(PURCHASE ORDER|Purchase Order|P.O.)
(PO number|Order no.|P.O. Number): {code}
(Date|Order date): {date}
(Vendor|Supplier): {company}, {address}
(Ship to|Deliver to|Delivery address): {company}, {address}
?(Requested by|Buyer|Requisitioner): {person}, {department}
(Item Qty Unit Unit price Total|Line Part no. Description Quantity Price)
2-7*{n} {thing} {number} pcs {amount} {amount}
(Order total|Total): {money}
(Required delivery date|Deliver by|Delivery date): {date}
(Ship via|Shipping terms|Incoterms): (DAP|FOB|EXW|courier|road freight)
(Please quote this PO number on all correspondence and invoices|Please confirm receipt of this order|Authorised by {person})`,
      `{company} {department} department
We hereby order from {company} the following goods:
2-6*{number} units of {thing} at {money} each
Order reference {code} placed on {date}
Delivery required by {date} to our warehouse, {address}
This order is subject to our (general purchasing conditions|standard terms of purchase).
(Send the invoice to|Invoices to) {email}. Approved: {person}, {role}`,
    ],
    de: [
      `(BESTELLUNG|Bestellung|Bestellschein)
Bestellnummer: {code} Datum: {date}
(Lieferant|An): {company}, {address}
Lieferadresse: {address}
Pos. Artikel Menge Preis
2-6*{n} {thing} {number} Stück {amount}
Gesamtwert {money}
(Liefertermin|Wir bitten um Lieferung bis): {date}
(Bitte bestätigen Sie diese Bestellung|Es gelten unsere Einkaufsbedingungen). Besteller: {person}, {department}`,
    ],
    es: [
      `(ORDEN DE COMPRA|Pedido de compra|Orden de compra)
Número de orden: {code} Fecha: {date}
Proveedor: {company}, {address}
Entregar en: {address}
Artículo Cantidad Precio unitario Total
2-6*{thing} {number} uds. {amount} {amount}
Total del pedido {money}
(Fecha de entrega|Plazo de entrega): {date}
(Rogamos confirmen el pedido|Indique este número en su factura). Solicitado por {person}`,
    ],
  },
  test: {
    en: [
      `Order to supplier
Buyer: {company}   Seller: {company}
Our order {code} of {date}
2-6*{thing}: order quantity {number}, agreed price {money}
Order value {money}
Goods to be delivered no later than {date}, {address}.
Acknowledge acceptance of this order within {n} days. Purchasing agent {person}`,
      `{brand} Procurement
PO {digits} rev {n}
Supplier code {number} {company}
2-6*{code} {thing} qty {number} UOM EA price {amount} need-by {date}
PO total {money}. Bill to {address}. Receiving hours 7:00-15:00.
Shipments without the PO reference will be rejected.`,
    ],
    de: [
      `{company}, {department}
Sehr geehrte Damen und Herren, hiermit bestellen wir gemäß Ihrem Angebot vom {date}:
2-5*{number} Stück {thing} zum Preis von {amount} EUR
Bestellwert {amount} EUR, Auftragsnummer {code}
Lieferung frei Haus an {address}, spätestens {date}. Um Auftragsbestätigung wird gebeten.`,
    ],
    es: [
      `{company}, departamento de {department}
Por la presente solicitamos el suministro de los siguientes artículos, pedido {code}:
2-5*{number} unidades de {thing} a {amount} €
Valor del pedido {amount} €. Entrega en {address} antes del {date}.
Confirmen la aceptación del pedido a {email}.`,
    ],
  },
}

export const BANK_STATEMENT: DocumentKind = {
  label: 'bank-statement',
  train: {
    en: [
      `{brand} Bank
(Account statement|Statement of account|Bank statement|Current account statement)
Account (holder|name): {person}   Account number: {digits}   Sort code {number}-{n}
?IBAN {iban}
Statement period: {date} to {date}
(Opening balance|Balance brought forward): {money}
(Date Description Debit Credit Balance|Date Details Withdrawals Deposits Balance)
4-10*{date} (CARD PAYMENT {brand}|DIRECT DEBIT {brand}|SALARY {company}|ATM WITHDRAWAL {city}|TRANSFER {person}|STANDING ORDER RENT|INTEREST) {amount} {amount}
(Closing balance|Balance carried forward): {money}
?(Overdraft limit|Interest rate) {percent}`,
      `{brand} Credit Union monthly statement
Member {person} {digits}
Beginning balance {money} Ending balance {money}
Total deposits {money} Total withdrawals {money} Service charges {amount}
3-8*{date} (POS purchase|Online transfer|Check {number}|Payroll deposit|Fee) {brand} {amount}
Page {n} of {n}. Please examine this statement at once and report errors within 30 days.`,
    ],
    de: [
      `{brand} Bank
(Kontoauszug|Kontoauszug Nr. {n}/{year})
Kontoinhaber: {person} IBAN {iban}
(Alter Kontostand|Anfangssaldo) {amount} EUR
Buchungstag Valuta Verwendungszweck Betrag
4-9*{date} (Lastschrift {brand}|Gehalt {company}|Überweisung {person}|Kartenzahlung {brand}|Dauerauftrag Miete) {amount} (S|H|-|+)
(Neuer Kontostand|Endsaldo) {amount} EUR
?Dispositionskredit {amount} EUR`,
    ],
    es: [
      `Banco {brand}
(Extracto de cuenta|Extracto bancario)
Titular: {person} Cuenta: {iban}
Periodo: {date} - {date}
Saldo (inicial|anterior) {amount} EUR
Fecha Concepto Cargo Abono Saldo
4-9*{date} (RECIBO {brand}|NÓMINA {company}|TRANSFERENCIA {person}|COMPRA TARJETA {brand}|CAJERO {city}) {amount} {amount}
Saldo (final|actual) {amount} EUR`,
    ],
  },
  test: {
    en: [
      `{brand} Savings
Summary of your account {digits} for {month} {year}
{person}, {address}
Start of month {money}; money in {money}; money out {money}; end of month {money}
Transactions
4-8*{date} {brand} {city} {amount} (DR|CR) {amount}
Your deposits are protected up to {money}. Lost card? Call {phone}`,
    ],
    de: [
      `{brand} Sparkasse
Umsätze des Kontos {iban} vom {date} bis {date}
4-8*{date} {brand} {amount} Saldo {amount}
Summe Gutschriften {amount}, Summe Belastungen {amount}
Kontostand am {date}: {amount} EUR`,
    ],
    es: [
      `Caja {brand}
Movimientos de su cuenta corriente {digits}, {month} {year}
4-8*{date} {brand} {amount} saldo {amount}
Total ingresos {amount} Total gastos {amount}
Saldo disponible a {date}: {amount} €`,
    ],
  },
}
