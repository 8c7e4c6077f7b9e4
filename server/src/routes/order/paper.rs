//! The paper itself: A4, Chinese with English small beside, system fonts.

use std::fmt::Write;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::catalogue::Text;

use super::super::reference::escape;
use crate::error::Result;
use crate::services::sight::{Order, ProvenEntry};

/// The paper's style.
pub(super) const STYLE: &str = "@page{size:A4;margin:18mm 20mm}*{box-sizing:border-box}\
body{font:11pt/1.55 'Songti SC','SimSun','Noto Serif CJK SC',serif;color:#000;background:#fff;margin:0 auto;\
max-width:170mm;padding:8mm 0}\
header{text-align:center;border-bottom:2px solid #b00;margin-bottom:5mm}\
h1{font-size:20pt;letter-spacing:.15em;margin:1mm 0 0}h2{font-size:11.5pt;margin:4mm 0 1mm;break-after:avoid}\
p{margin:1mm 0}small{font:8pt/1.3 system-ui,sans-serif;color:#444}\
.no{text-align:right}table{border-collapse:collapse;width:100%}\
td,th{border:1px solid #777;padding:1mm 2mm;text-align:left;vertical-align:top;font-weight:normal}\
th{width:42mm;background:#f4f4f4}.due{font-weight:bold}.warn{color:#900}\
.photos{display:grid;grid-template-columns:repeat(3,1fr);gap:3mm}figure{margin:0;break-inside:avoid}\
figure img{width:100%;height:38mm;object-fit:cover;border:1px solid #777}\
figure div{height:38mm;border:1px dashed #777;display:grid;place-items:center}\
figcaption,pre,code{font:6.5pt/1.35 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}\
pre{border:1px solid #777;padding:2mm;margin:1mm 0}.sign{display:grid;grid-template-columns:1fr 1fr;gap:8mm;\
margin-top:6mm;break-inside:avoid}.sign p:first-child{min-height:12mm}\
.sign div{height:30mm;border-bottom:1px solid #000}\
section{break-inside:avoid-page}li{margin:.5mm 0}ol,ul{margin:1mm 0;padding-left:6mm}\
@media screen{body{padding:8mm 4mm}}@media print{body{padding:0;max-width:none}}";

/// Both languages, the second small.
fn both(text: &Text) -> String {
    if text.en.is_empty() {
        return escape(&text.zh);
    }
    format!("{} <small lang=\"en\">{}</small>", escape(&text.zh), escape(&text.en))
}

fn words(zh: &str, en: &str) -> String {
    format!("{zh} <small lang=\"en\">{en}</small>")
}

/// The paper of an order.
///
/// # Errors
/// Where it can't be written.
pub(super) fn write(order: &Order) -> Result<String> {
    let mut page = String::new();
    head(&mut page, order).context("writing an order")?;
    whom_and_what(&mut page, order).context("writing an order")?;
    demands(&mut page, order).context("writing an order")?;
    photos(&mut page, order).context("writing an order")?;
    signatures(&mut page, order).context("writing an order")?;
    proof(&mut page, order).context("writing an order")?;
    page.push_str("</body></html>");
    Ok(page)
}

fn head(page: &mut String, order: &Order) -> std::fmt::Result {
    write!(
        page,
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>责令限期改正通知书 {number}</title><style>{STYLE}</style><body>\
         <header><p>{district}</p><h1>责令限期改正通知书</h1><p><small lang=\"en\">Order to rectify by a date</small></p>\
         </header><p class=\"no\">{label}：{number}<br><small>{code_label} {code}</small></p>",
        number = escape(&order.number),
        district = both(&order.district),
        label = words("编号", "No."),
        code_label = words("短码", "short code"),
        code = escape(&order.short_code),
    )
}

fn whom_and_what(page: &mut String, order: &Order) -> std::fmt::Result {
    let unknown = words("（未登记或您无权查看）", "(not recorded, or not yours to read)");
    write!(page, "<table><tr><th>{}</th><td>", words("责任单位", "Unit that must act"))?;
    let units: Vec<String> = order.units.iter().map(both).collect();
    write!(page, "{}</td></tr>", units.join("、"))?;
    for (label, value) in &order.parties {
        let value = value.as_ref().map_or_else(|| unknown.clone(), |value| escape(value));
        write!(page, "<tr><th>{}</th><td>{value}</td></tr>", both(label))?;
    }
    let kind: Vec<String> = order.kind.iter().map(both).collect();
    write!(page, "<tr><th>{}</th><td>{}</td></tr>", words("案件类别", "Kind"), kind.join(" · "))?;
    let place: Vec<String> = order.place.iter().map(both).collect();
    let position = order.position.as_ref().map(|at| format!("<br><small>WGS-84 {}</small>", escape(at)));
    write!(
        page,
        "<tr><th>{}</th><td>{}{}</td></tr>",
        words("地点", "Place"),
        place.join(" › "),
        position.unwrap_or_default()
    )?;
    for (label, value) in &order.facts {
        write!(page, "<tr><th>{}</th><td>{}</td></tr>", both(label), both(value))?;
    }
    write!(page, "</table><section><h2>{}</h2><ol>", words("法律依据", "Legal basis"))?;
    for law in &order.legal_basis {
        write!(page, "<li>{}</li>", both(law))?;
    }
    page.push_str("</ol></section>");
    Ok(())
}

fn demands(page: &mut String, order: &Order) -> std::fmt::Result {
    write!(
        page,
        "<section><h2>{}</h2><p>{}</p><table>",
        words("责令改正内容和期限", "What must be done, by when"),
        words("现责令于下列期限前改正：", "It is ordered that the following be done by the dates below:")
    )?;
    for demand in &order.demands {
        let provisional = words(
            "（暂定：所涉日期的工作日历尚未发布，发布后重新计算）",
            "(provisional: the working calendar of those days is not published yet)",
        );
        let met = words("（已完成）", "(done)");
        write!(
            page,
            "<tr><th>{}</th><td><span class=\"due\">{}</span>{} {}<br><small>{} {}</small></td></tr>",
            both(&demand.stage),
            escape(&demand.due),
            if demand.provisional { format!(" <span class=\"warn\">{provisional}</span>") } else { String::new() },
            if demand.met { met } else { String::new() },
            words("期限签发于", "deadline issued"),
            escape(&demand.issued),
        )?;
    }
    write!(
        page,
        "</table><p>{}</p><ul>",
        words("改正以达到下列之一为准：", "It is put right when one of these is so:")
    )?;
    for way in &order.ways {
        write!(page, "<li>{}</li>", both(way))?;
    }
    page.push_str("</ul></section>");
    Ok(())
}

fn photos(page: &mut String, order: &Order) -> std::fmt::Result {
    if order.photos.is_empty() {
        return Ok(());
    }
    write!(page, "<h2>{}</h2><div class=\"photos\">", words("现场照片", "Photos"))?;
    for (photo, nth) in order.photos.iter().zip(1..) {
        let picture = match &photo.jpeg {
            Some(jpeg) => {
                format!("<img alt=\"现场照片 {nth}\" src=\"data:image/jpeg;base64,{}\">", STANDARD.encode(jpeg))
            }
            None => format!("<div>{}</div>", words("照片未到", "not here")),
        };
        write!(
            page,
            "<figure>{picture}<figcaption>{nth} · {}<br>SHA-256 {}</figcaption></figure>",
            escape(&photo.received),
            photo.sha256
        )?;
    }
    page.push_str("</div>");
    if order.more_photos > 0 {
        let (zh, en) =
            (format!("另有 {} 张存于案件", order.more_photos), format!("{} more with the case", order.more_photos));
        write!(page, "<p>{}</p>", words(&zh, &en))?;
    }
    Ok(())
}

fn signatures(page: &mut String, order: &Order) -> std::fmt::Result {
    write!(
        page,
        "<div class=\"sign\"><section><p>{}：{}</p><div></div><p>{}</p></section><section><p>{}</p><div></div>\
         <p>{}</p></section></div>",
        words("签发机关（盖章）", "Issued by (seal)"),
        both(&order.district),
        words("年　　月　　日", "date"),
        words("当事人（签收）", "Received by (signature)"),
        words("年　　月　　日", "date"),
    )
}

fn proof(page: &mut String, order: &Order) -> std::fmt::Result {
    write!(page, "<section><h2>{}</h2>", words("核验", "How to verify this paper"))?;
    write!(
        page,
        "<p><small>{}: {} · {} {}</small></p>",
        words("日志", "log"),
        order.log,
        words("打印于", "printed"),
        escape(&order.printed)
    )?;
    let Some((note, size)) = &order.checkpoint else {
        write!(page, "<p>{}</p></section>", words("日志尚无检查点。", "The log has no checkpoint yet."))?;
        return Ok(());
    };
    for ProvenEntry { what, rev, leaf } in &order.proofs {
        let covered = if rev <= size {
            format!("/v1/audit/{}/inclusion?rev={rev}&amp;size={size}", order.log)
        } else {
            words("尚未被此检查点覆盖：稍后重新打印", "not covered by this checkpoint yet: print again in a minute")
        };
        let nth = words(&format!("第 {rev} 条"), &format!("entry {rev}"));
        write!(page, "<p>{} · {nth}<br><code>leaf {leaf}<br>{covered}</code></p>", both(what))?;
    }
    write!(
        page,
        "<p><small>{}</small></p><pre>{}</pre></section>",
        words(
            "检查点（签名注记：来源、条数、根哈希、签名）。用公开的验证公钥核对签名；再从上面的地址取包含证明，由叶哈希算到根哈希，两者须相等。照片文件的 SHA-256 须与上列相同。",
            "The checkpoint (a signed note: origin, size, root hash, signature). Check the signature by the log's public \
             verifier key; fetch the inclusion proof from the path above and compute from the leaf to the root: they must \
             agree. A photo's file must have the SHA-256 above."
        ),
        escape(note)
    )
}
