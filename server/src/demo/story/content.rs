//! What a report says: which kinds of problem there are, how often, when, and with which words and values.

use pictures::drawing::{Dice, Scene};
use schema::catalogue::{FieldKind, FieldSpec};
use serde_json::{Value, json};

use super::hours::{Hours, number};
use crate::demo::city::Duty;

/// A kind of problem in this city.
#[derive(Debug)]
pub(super) struct Kind {
    /// Category and subtype of the catalogue.
    pub(super) code: (&'static str, &'static str),
    /// How often, of 100.
    pub(super) share: u64,
    /// What its photos show.
    pub(super) scene: Scene,
    /// When it is seen.
    pub(super) hours: Hours,
    /// Who must fix it, and who helps.
    pub(super) duty: (Duty, Option<Duty>),
    /// What its subject is called.
    pub(super) subjects: [&'static str; 4],
    /// What its reporter writes.
    pub(super) notes: [&'static str; 3],
    /// What the unit writes when it is fixed.
    pub(super) fixes: [&'static str; 2],
}

const DAY: Hours = (8 * 60, 17 * 60 + 30);
const MORNING: Hours = (6 * 60 + 20, 8 * 60 + 40);
const EVENING: Hours = (17 * 60, 20 * 60 + 45);

const HOUSES: [&str; 4] = ["河湾路18号院", "书院街36号", "石桥里7号楼", "南市后街52号"];
const DOGS: [&str; 4] = ["黄色中型犬", "黑色大型犬", "白色小型犬", "棕色卷毛犬"];
const STALLS: [&str; 4] = ["三轮车水果摊", "路口早点摊", "校门口小吃摊", "公交站旁百货摊"];
const SHOPS: [&str; 4] = ["街角五金店", "便民水果店", "早餐铺", "电动车维修店"];

/// The kinds, the rarest not left out.
pub(super) const KINDS: [Kind; 10] = [
    Kind {
        code: ("illegal_structure", "being_built"),
        share: 8,
        scene: Scene::Site,
        hours: DAY,
        duty: (Duty::UrbanManagement, Some(Duty::Planning)),
        subjects: HOUSES,
        notes: ["院内正在砌墙加建，未见许可", "楼顶正在搭建钢架", "告知停工后仍在施工"],
        fixes: ["已责令停止，在建部分已拆除", "已停工并恢复原状"],
    },
    Kind {
        code: ("illegal_structure", "built"),
        share: 12,
        scene: Scene::Shed,
        hours: DAY,
        duty: (Duty::StreetOffice, Some(Duty::Planning)),
        subjects: HOUSES,
        notes: ["彩钢板房占用公共通道", "一楼外扩搭建已成形", "临时棚房逾期未拆"],
        fixes: ["当事人已自行拆除，场地已清理", "已按程序拆除，垃圾已清运"],
    },
    Kind {
        code: ("dog", "unleashed"),
        share: 16,
        scene: Scene::Dog,
        hours: MORNING,
        duty: (Duty::Police, Some(Duty::UrbanManagement)),
        subjects: DOGS,
        notes: ["遛犬未拴绳，行人避让", "犬只在小区门口自行走动", "广场上未拴绳，多人反映"],
        fixes: ["已找到养犬人，责令改正", "已批评教育，现场拴绳"],
    },
    Kind {
        code: ("dog", "faeces"),
        share: 10,
        scene: Scene::Faeces,
        hours: MORNING,
        duty: (Duty::Sanitation, None),
        subjects: DOGS,
        notes: ["人行道上有犬粪未清理", "绿地边多处犬粪", "单元门口犬粪，居民投诉"],
        fixes: ["已清扫冲洗", "已清理，增设拾便箱"],
    },
    Kind {
        code: ("dog", "banned_place"),
        share: 7,
        scene: Scene::Dog,
        hours: EVENING,
        duty: (Duty::UrbanManagement, Some(Duty::Police)),
        subjects: DOGS,
        notes: ["携犬进入儿童活动区", "携犬进入设有禁入标识的公园", "市场内携犬购物"],
        fixes: ["已劝离并登记", "已劝离，加固禁入标识"],
    },
    Kind {
        code: ("stall", "road_occupation"),
        share: 16,
        scene: Scene::Stall,
        hours: EVENING,
        duty: (Duty::UrbanManagement, None),
        subjects: STALLS,
        notes: ["摊位占用人行道，行人绕行", "摊位占压盲道", "路口摆摊影响通行"],
        fixes: ["摊位已撤离，地面已清扫", "已引导至疏导点"],
    },
    Kind {
        code: ("stall", "unlicensed"),
        share: 9,
        scene: Scene::Stall,
        hours: EVENING,
        duty: (Duty::UrbanManagement, Some(Duty::MarketSupervision)),
        subjects: STALLS,
        notes: ["无照售卖熟食", "流动摊贩反复出现", "取缔后又来摆卖"],
        fixes: ["已取缔并清理", "已引导办理登记并入市"],
    },
    Kind {
        code: ("stall", "shop_overflow"),
        share: 10,
        scene: Scene::Shop,
        hours: DAY,
        duty: (Duty::StreetOffice, None),
        subjects: SHOPS,
        notes: ["货物摆到店外台阶下", "店外堆放，占用人行道", "店外维修作业，油污严重"],
        fixes: ["物品已全部收回店内", "已收回并重新划线"],
    },
    Kind {
        code: ("stall", "licensed_outside_terms"),
        share: 6,
        scene: Scene::Stall,
        hours: DAY,
        duty: (Duty::MarketSupervision, Some(Duty::UrbanManagement)),
        subjects: ["便民摊点12号", "便民摊点27号", "便民摊点31号", "便民摊点45号"],
        notes: ["摊点移到划线区域外", "超出核定时间仍在经营", "经营品类与登记不符"],
        fixes: ["已回到划定区域", "已按核定时间和品类经营"],
    },
    Kind {
        code: ("stall", "open_air_barbecue"),
        share: 6,
        scene: Scene::Barbecue,
        hours: EVENING,
        duty: (Duty::UrbanManagement, Some(Duty::StreetOffice)),
        subjects: STALLS,
        notes: ["露天烧烤，油烟扰民", "店外支炉烧烤", "夜间烧烤，居民投诉油烟"],
        fixes: ["炉具已收回，现场已清洗", "已停止露天烧烤并清理"],
    },
];

/// Remarks on open cases.
pub(super) const COMMENTS: [&str; 6] = [
    "居民再次来电询问进度",
    "现场复看，情况没有变化",
    "请注意与社区共同处理",
    "已电话联系当事人，约定明日到场",
    "夜间情况更明显，建议错时巡查",
    "与前期问题为同一当事人",
];
/// Instructions to a unit.
pub(super) const INSTRUCTIONS: [&str; 3] =
    ["请按时限处置并上传照片", "先劝导，拒不改正的依法处理", "请联合属地一并处理"];
/// Why a check failed.
pub(super) const FAILURES: [&str; 3] = ["现场仍有残留", "问题依旧，未见处置", "只处理了一部分"];
/// Why a case came back.
pub(super) const RELAPSES: [&str; 3] = ["结案后原地复发", "回访发现问题再次出现", "群众反映又有反弹"];
/// More on a refusal to take a case.
pub(super) const RETURNS: [&str; 2] = ["该路段不在我单位管理范围", "需先由规划部门认定"];
/// Why a case is void.
pub(super) const VOIDS: [&str; 2] = ["测试上报", "误报，现场无此问题"];
/// Why a photo can't come.
pub(super) const LOST_PHOTOS: [&str; 1] = ["手机损坏，照片无法恢复"];

/// One of some words.
pub(super) fn one_of(dice: &mut Dice, words: &[&'static str]) -> &'static str {
    pick(dice, words).copied().unwrap_or_default()
}

/// One of several things.
pub(super) fn pick<'a, T>(dice: &mut Dice, from: &'a [T]) -> Option<&'a T> {
    let last = u64::try_from(from.len()).ok()?.checked_sub(1)?;
    from.get(usize::try_from(number(dice, 0, last)).ok()?)
}

/// Whether something happens that happens so often, of 100.
pub(super) fn chance(dice: &mut Dice, percent: u64) -> bool {
    number(dice, 1, 100) <= percent
}

/// One of the kinds, as often as it occurs.
pub(super) fn kind(dice: &mut Dice) -> &'static Kind {
    let mut left = number(dice, 1, KINDS.iter().map(|kind| kind.share).sum());
    let [first, ..] = &KINDS;
    for kind in &KINDS {
        if left <= kind.share {
            return kind;
        }
        left -= kind.share;
    }
    first
}

/// What somebody fills into a field: a value, or a text to be sealed.
pub(super) enum Filled {
    Plain(Value),
    Personal(String),
}

/// A plausible value for a field.
pub(super) fn fill(spec: &FieldSpec, dice: &mut Dice) -> Filled {
    let code = spec.code.as_str();
    let value = match &spec.holds {
        FieldKind::Personal { .. } => {
            let n = number(dice, 1, 999);
            return Filled::Personal(match code {
                "plate" => format!("演示{n:05}"),
                "owner_phone" | "keeper_phone" | "vendor_phone" => format!("100-0000-{n:04}"),
                _ => format!("当事人{n:03}"),
            });
        }
        FieldKind::Text { .. } => json!("见照片"),
        FieldKind::Number { min, max, .. } => {
            let (from, to) = match code {
                "storeys" => (1, 4),
                "floor_area" | "demolished_area" => (80, 1_800),
                "overflow" => (5, 40),
                _ => (1, 100),
            };
            json!(dice.between(from, to).clamp(*min, *max))
        }
        FieldKind::Choice { choices } => {
            json!(pick(dice, choices).map(|choice| choice.code.as_str()).unwrap_or_default())
        }
        FieldKind::YesNo => json!(chance(dice, 40)),
        FieldKind::Reference { .. } => {
            let n = number(dice, 1, 400);
            json!(match code {
                "dog_tag" => format!("QH-{n:05}"),
                "place" => format!("JQ-{n:03}"),
                _ => format!("BM-{n:04}"),
            })
        }
    };
    Filled::Plain(value)
}
