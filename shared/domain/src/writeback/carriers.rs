//! Carrier names as Shopify spells them.
//!
//! A name that Shopify knows gets its tracking link from Shopify; any other needs a URL.
//! Source: description of `FulfillmentTrackingInfo.company`, Admin API 2026-10 ("capitalization matters").

use super::plan::plain;

/// The carriers that Shopify links everywhere.
const EVERYWHERE: &[&str] = &[
    "4PX",
    "AGS",
    "Amazon",
    "Amazon Logistics UK",
    "An Post",
    "Anjun Logistics",
    "APC",
    "Asendia USA",
    "Australia Post",
    "Bonshaw",
    "BPost",
    "BPost International",
    "Canada Post",
    "Canpar",
    "CDL Last Mile",
    "China Post",
    "Chronopost",
    "Chukou1",
    "Colissimo",
    "Comingle",
    "Coordinadora",
    "Correios",
    "Correos",
    "CTT",
    "CTT Express",
    "Cyprus Post",
    "Delnext",
    "Deutsche Post",
    "DHL eCommerce",
    "DHL eCommerce Asia",
    "DHL Express",
    "DPD",
    "DPD Local",
    "DPD UK",
    "DTD Express",
    "DX",
    "Eagle",
    "Estes",
    "Evri",
    "FedEx",
    "First Global Logistics",
    "First Line",
    "FSC",
    "Fulfilla",
    "GLS",
    "Guangdong Weisuyi Information Technology (WSE)",
    "Heppner Internationale Spedition GmbH & Co.",
    "Iceland Post",
    "IDEX",
    "Israel Post",
    "Japan Post (EN)",
    "Japan Post (JA)",
    "La Poste Colissimo",
    "La Poste Burkina Faso",
    "Lasership",
    "Latvia Post",
    "Lietuvos Paštas",
    "Logisters",
    "Lone Star Overnight",
    "M3 Logistics",
    "Meteor Space",
    "Mondial Relay",
    "New Zealand Post",
    "NinjaVan",
    "North Russia Supply Chain (Shenzhen) Co.",
    "OnTrac",
    "Packeta",
    "Pago Logistics",
    "Ping An Da Tengfei Express",
    "Pitney Bowes",
    "Portal PostNord",
    "Poste Italiane",
    "PostNL",
    "PostNord DK",
    "PostNord NO",
    "PostNord SE",
    "Purolator",
    "Qxpress",
    "Qyun Express",
    "Royal Mail",
    "Royal Shipments",
    "Sagawa (EN)",
    "Sagawa (JA)",
    "Sendle",
    "SF Express",
    "SFC Fulfillment",
    "ShipBob",
    "SHREE NANDAN COURIER",
    "Singapore Post",
    "Southwest Air Cargo",
    "StarTrack",
    "Step Forward Freight",
    "Swiss Post",
    "TForce Final Mile",
    "Tinghao",
    "TNT",
    "Toll IPEC",
    "United Delivery Service",
    "UPS",
    "USPS",
    "Venipak",
    "We Post",
    "Whistl",
    "Wizmo",
    "WMYC",
    "Xpedigo",
    "XPO Logistics",
    "Yamato (EN)",
    "Yamato (JA)",
    "YiFan Express",
    "YunExpress",
];

/// The carriers that Shopify links in one country or another.
const BY_COUNTRY: &[&str] = &[
    "ACS Courier",
    "Alliance Air Freight",
    "Allied Express",
    "Aramex Australia",
    "Aras Kargo",
    "Bluedart",
    "Bonds",
    "BoxKnight",
    "Bring",
    "BRT",
    "Colis Privé",
    "Couriers Please",
    "Delhivery",
    "Deutsche Post (DE)",
    "Deutsche Post (EN)",
    "DHL",
    "DHL Parcel",
    "Direct Couriers",
    "DPD Ireland",
    "DTDC",
    "Ecom Express",
    "Ekart",
    "Fastway",
    "Gati KWE",
    "GLS Italy",
    "GO Logistics",
    "Hermes",
    "Hunter Express",
    "India Post",
    "Inpost",
    "Intelcom",
    "Loomis",
    "LSO",
    "Northline",
    "Old Dominion",
    "Pandion",
    "Parcelforce",
    "Pilot Freight",
    "Professional Couriers",
    "PTT",
    "R+L Carriers",
    "SEUR",
    "Shadowfax",
    "Skynet",
    "Speedy",
    "Swiship",
    "Sürat Kargo",
    "TNT Australia",
    "Tuffnells",
    "WanbExpress",
    "XpressBees",
    "Yodel",
    "Yurtiçi Kargo",
    "Zásilkovna",
    "Österreichische Post",
    "エコ配",
    "名鉄運輸",
    "日本通運",
    "福山通運",
    "第一貨物",
    "西濃スーパーエキスプレス",
    "西濃運輸",
];

/// `name` as Shopify spells it, or `None` if Shopify does not know the carrier.
#[must_use]
pub fn known(name: &str) -> Option<&'static str> {
    let wanted = name.trim().to_lowercase();
    EVERYWHERE.iter().chain(BY_COUNTRY).copied().find(|known| known.to_lowercase() == wanted)
}

/// The carrier whose numbers look like this, where only one has such: a hint for a person, never written by itself.
/// Source: the carriers' own descriptions of their numbers.
#[must_use]
pub fn looks_like(number: &str) -> Option<&'static str> {
    let number = plain(number);
    // Whatever a merchant typed into the field: below, a byte is a character.
    if !number.is_ascii() {
        return None;
    }
    let (letters, rest) = number.split_at(number.find(|c: char| c.is_ascii_digit()).unwrap_or(number.len()));
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_alphanumeric = number.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match letters {
        "" if number.starts_with("1Z") && number.len() == 18 && is_alphanumeric => Some("UPS"),
        "" if ["92", "93", "94", "95"].iter().any(|start| rest.starts_with(start)) && digits(rest, 22) => Some("USPS"),
        "" if digits(rest, 12) || digits(rest, 15) => Some("FedEx"),
        "JJD" | "JD" if digits(rest, 16) || digits(rest, 18) => Some("DHL Express"),
        // Source: Universal Postal Union, standard S10: two letters, nine digits, a country.
        _ if letters.len() == 2 && rest.len() == 11 && digits(&rest[..9], 9) => match &rest[9..] {
            "GB" => Some("Royal Mail"),
            "US" => Some("USPS"),
            "CA" => Some("Canada Post"),
            "AU" => Some("Australia Post"),
            "DE" => Some("Deutsche Post"),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_carrier_is_spelt_as_shopify_spells_it() {
        assert_eq!(known("usps"), Some("USPS"));
        assert_eq!(known(" dhl express "), Some("DHL Express"));
        assert_eq!(known("Bob's Bikes"), None);
    }

    #[test]
    fn a_number_looks_like_the_carrier_that_gives_such_numbers_and_else_like_none() {
        for (number, carrier) in [
            ("1Z999AA10123456784", Some("UPS")),
            ("9400 1118 9922 3100 0012 34", Some("USPS")),
            ("123456789012", Some("FedEx")),
            ("JD014600061234567890", Some("DHL Express")),
            ("RR123456789GB", Some("Royal Mail")),
            ("RR123456789ZZ", None),
            ("1Z999", None),
            ("1z 999-aa10123456784", Some("UPS")),
            ("TRACK-1", None),
            ("RR12345678é9", None),
            ("é123456789GB", None),
            ("", None),
        ] {
            assert_eq!(looks_like(number), carrier, "{number}");
            assert!(carrier.is_none_or(|name| known(name) == Some(name)), "{number}: as Shopify spells it");
        }
    }
}
