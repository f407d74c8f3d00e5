package hevc

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"oxymoq/pkg/media/nal"
)

const (
	// MaxSide is the largest width or height in pixels; containers have 16 bits for it.
	MaxSide = 1<<16 - 1
	// maxRefSets is the largest number of short-term reference picture sets (section 7.4.3.2.1).
	maxRefSets = 64
	// maxRefs is the largest number of pictures in one of them (sps_max_dec_pic_buffering_minus1).
	maxRefs = 16
	// maxLongRefs is the largest num_long_term_ref_pics_sps (section 7.4.3.2.1).
	maxLongRefs = 32
)

// SPS is what a sequence parameter set says of the pictures (ISO/IEC 23008-2
// section 7.3.2.2).
type SPS struct {
	Profile        Profile
	ID             int // sps_seq_parameter_set_id, 0 to 15
	TemporalLayers byte
	TemporalNested bool
	ChromaFormat   byte // chroma_format_idc
	BitDepthLuma   int
	BitDepthChroma int
	Width, Height  int // in pixels, within the conformance window
	// FrameRate is in pictures a second, 0 if the SPS does not say it.
	FrameRate float64
	// ReorderFrames is how many pictures may come before one that is shown
	// earlier, sps_max_num_reorder_pics of all layers.
	ReorderFrames int
}

// ParseSPS reads the NAL unit of a sequence parameter set.
func ParseSPS(unit []byte) (*SPS, error) {
	if UnitType(unit) != TypeSPS {
		return nil, errors.New("SPS: the NAL unit is of another type")
	}
	r := nal.NewBits(nal.Unescape(unit[headerLen:]))
	s, orderBits := parseSPS(r)
	if r.Err() != nil {
		return nil, fmt.Errorf("SPS: %w", r.Err())
	}
	s.FrameRate = frameRate(*r, orderBits)
	return s, nil
}

// parseSPS reads up to the sizes of buffers, and returns how many bits the order
// of a picture has.
func parseSPS(r *nal.Bits) (s *SPS, orderBits int) {
	s = &SPS{}
	r.U(4) // sps_video_parameter_set_id
	layers := r.U(3) + 1
	if layers > 7 {
		r.Fail(errors.New("more than 7 temporal layers"))
	}
	s.TemporalLayers, s.TemporalNested = byte(layers), r.Flag()
	s.Profile = parseProfile(r, int(layers))
	id := r.UE()
	if id > 15 {
		r.Fail(fmt.Errorf("id %d is above 15", id))
	}
	format := r.UE()
	if format > 3 {
		r.Fail(fmt.Errorf("chroma_format_idc %d does not exist", format))
	}
	s.ID, s.ChromaFormat = int(id), byte(format)
	separatePlanes := format == 3 && r.Flag()
	width, height := uint64(r.UE()), uint64(r.UE())
	if r.Flag() { // conformance_window_flag
		// Offsets count in samples of the sparsest plane (table 6-1).
		unitX, unitY := uint64(1), uint64(1)
		if !separatePlanes && (format == 1 || format == 2) {
			unitX = 2
		}
		if !separatePlanes && format == 1 {
			unitY = 2
		}
		cropX := (uint64(r.UE()) + uint64(r.UE())) * unitX
		cropY := (uint64(r.UE()) + uint64(r.UE())) * unitY
		width, height = width-min(cropX, width), height-min(cropY, height)
	}
	if r.Err() == nil && (width == 0 || height == 0 || width > MaxSide || height > MaxSide) {
		r.Fail(fmt.Errorf("a picture of %dx%d is not from 1x1 to %dx%d", width, height, MaxSide, MaxSide))
	}
	luma, chroma := r.UE(), r.UE()
	if luma > 7 || chroma > 7 { // what a record can say; the text has 8, which no profile allows
		r.Fail(errors.New("more than 15 bits a sample"))
	}
	s.Width, s.Height = int(width), int(height)
	s.BitDepthLuma, s.BitDepthChroma = 8+int(luma), 8+int(chroma)
	order := r.UE() // log2_max_pic_order_cnt_lsb_minus4
	if order > 12 {
		r.Fail(errors.New("an order of pictures of more than 16 bits"))
	}
	if !r.Flag() { // sps_sub_layer_ordering_info_present_flag
		layers = 1 // which speaks for all
	}
	for range layers {
		r.UE()            // sps_max_dec_pic_buffering_minus1
		reorder := r.UE() // the last is that of all layers
		r.UE()            // sps_max_latency_increase_plus1
		if reorder > maxRefs {
			r.Fail(fmt.Errorf("%d pictures in another order are more than %d", reorder, maxRefs))
		}
		s.ReorderFrames = int(reorder)
	}
	return s, int(order) + 4
}

// parseProfile reads profile_tier_level (section 7.3.3).
func parseProfile(r *nal.Bits, layers int) Profile {
	p := Profile{Space: byte(r.U(2)), High: r.Flag(), ID: byte(r.U(5)), Compatibility: r.U(32)}
	p.Constraints = uint64(r.U(16))<<32 | uint64(r.U(32))
	p.Level = byte(r.U(8))
	if layers <= 1 {
		return p
	}
	var profiles, levels [7]bool
	for i := range layers - 1 {
		profiles[i], levels[i] = r.Flag(), r.Flag()
	}
	for range 8 - (layers - 1) {
		r.U(2)
	}
	for i := range layers - 1 {
		if profiles[i] {
			r.Skip(88)
		}
		if levels[i] {
			r.U(8)
		}
	}
	return p
}

// frameRate reads an SPS from behind the sizes of buffers to the timing in its VUI
// (section E.2.1). Nothing decodes by it, so that one which cannot be read leaves
// the rate unknown.
func frameRate(r nal.Bits, orderBits int) float64 {
	for range 6 { // from log2_min_luma_coding_block_size_minus3 to max_transform_hierarchy_depth_intra
		r.UE()
	}
	if r.Flag() { // scaling_list_enabled_flag
		skipScaling(&r)
	}
	r.U(2)        // amp_enabled_flag, sample_adaptive_offset_enabled_flag
	if r.Flag() { // pcm_enabled_flag
		r.U(8)
		r.UE()
		r.UE()
		r.Flag()
	}
	if !skipRefSets(&r) {
		return 0
	}
	if r.Flag() { // long_term_ref_pics_present_flag
		n := r.UE()
		if n > maxLongRefs {
			return 0
		}
		r.Skip(int(n) * (orderBits + 1))
	}
	r.U(2)         // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
	if !r.Flag() { // vui_parameters_present_flag
		return 0
	}
	if r.Flag() && r.U(8) == 255 { // aspect_ratio_info_present_flag, EXTENDED_SAR
		r.U(32)
	}
	if r.Flag() { // overscan_info_present_flag
		r.Flag()
	}
	if r.Flag() { // video_signal_type_present_flag
		r.U(4)
		if r.Flag() { // colour_description_present_flag
			r.U(24)
		}
	}
	if r.Flag() { // chroma_loc_info_present_flag
		r.UE()
		r.UE()
	}
	r.U(3)        // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
	if r.Flag() { // default_display_window_flag
		for range 4 {
			r.UE()
		}
	}
	if !r.Flag() { // vui_timing_info_present_flag
		return 0
	}
	tick, scale := r.U(32), r.U(32)
	if r.Err() != nil || tick == 0 {
		return 0
	}
	return float64(scale) / float64(tick)
}

// skipScaling reads scaling_list_data (section 7.3.4), if it is there.
func skipScaling(r *nal.Bits) {
	if !r.Flag() { // sps_scaling_list_data_present_flag
		return
	}
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6 && r.Err() == nil; matrix += step {
			if !r.Flag() { // scaling_list_pred_mode_flag
				r.UE()
				continue
			}
			if size > 1 {
				r.UE() // scaling_list_dc_coef_minus8
			}
			for range min(64, 1<<(4+2*size)) {
				r.UE()
			}
		}
	}
}

// skipRefSets reads the short-term reference picture sets (section 7.3.7) and
// reports whether it could. How long one is can depend on the one before it.
func skipRefSets(r *nal.Bits) bool {
	n := r.UE()
	if n > maxRefSets {
		return false
	}
	var last []int64 // distances to the pictures of the set before, as their flags come
	for i := range n {
		var set []int64
		if i > 0 && r.Flag() { // inter_ref_pic_set_prediction_flag
			negative := r.Flag()
			delta := int64(r.UE()) + 1
			if negative {
				delta = -delta
			}
			for _, d := range append(last, 0) {
				used := r.Flag()         // used_by_curr_pic_flag
				kept := used || r.Flag() // use_delta_flag
				if d += delta; kept && d != 0 {
					set = append(set, d)
				}
			}
			slices.SortFunc(set, byDistance)
		} else {
			before, after := r.UE(), r.UE()
			if before > maxRefs || after > maxRefs-before {
				return false
			}
			for j, at := uint32(0), int64(0); j < before+after; j++ {
				if j == before {
					at = 0
				}
				step := int64(r.UE()) + 1
				r.Flag() // used_by_curr_pic_s0_flag, used_by_curr_pic_s1_flag
				if j < before {
					step = -step
				}
				at += step
				set = append(set, at)
			}
		}
		if r.Err() != nil || len(set) > maxRefs {
			return false
		}
		last = set
	}
	return true
}

// byDistance orders pictures as the sets do: those before, then those after,
// the nearest first.
func byDistance(a, b int64) int {
	if a < 0 && b < 0 {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
