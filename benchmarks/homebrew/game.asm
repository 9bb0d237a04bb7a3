; Gem run: a hero collects gems in a world of two screens and must touch no enemy.
; World x is counted in units of two pixels, so that 0..255 span both screens; y in pixels.

cam     = $10           ; camera, 0..128, units of two pixels
pad     = $11           ; buttons held: A B select start up down left right
frame   = $12
score   = $13           ; gems collected
over    = $14           ; 1 when an enemy was touched
dist    = $15           ; how far the gem is, in units of two pixels, at most 255
started = $16           ; 0 on the title screen
seed    = $17
tens    = $18           ; the score's digits
ones    = $19
ptr     = $1a
tile    = $1c
quarter = $1d
top     = $1e
view    = $1f           ; the camera of the frame that is shown
wx      = $20           ; six actors: hero, gem, two bats, two slugs
wy      = $28
vx      = $30
vy      = $38
flip    = $40           ; $40 faces left
oam     = $200

reset:  sei
        cld
        ldx #$40
        stx $4017
        ldx #$ff
        txs
        lda #0
        sta $2000
        sta $2001
        sta $4010
        bit $2002
wait1:  bit $2002
        bpl wait1
        ldx #0
clear:  lda #0
        sta $00,x
        lda #$f8        ; below the screen
        sta oam,x
        inx
        bne clear
wait2:  bit $2002
        bpl wait2
        ldx #0
place:  lda places,x
        sta wx,x
        inx
        cpx #$20
        bne place
        lda #$5a
        sta seed
        lda #$3f        ; palette
        sta $2006
        lda #0
        sta $2006
        ldx #0
colour: lda palette,x
        sta $2007
        inx
        cpx #32
        bne colour
        lda #$20        ; both name tables
        sta $2006
        lda #0
        sta $2006
        lda #<names
        sta ptr
        lda #>names
        sta ptr+1
        ldx #8
        ldy #0
name:   lda (ptr),y
        sta $2007
        iny
        bne name
        inc ptr+1
        dex
        bne name
        lda #%00011110
        sta $2001
        lda #%10010000  ; interrupts, background tiles from $1000
        sta $2000
forever: jmp forever

; Shows what was prepared during the last frame, then prepares the next one.
nmi:    lda #0
        sta $2003
        lda #2
        sta $4014
        bit $2002
        lda cam
        sta view
        asl a           ; its highest bit, now the carry, chooses the name table
        sta $2005
        lda #0
        sta $2005
        lda #%10010000
        adc #0
        sta $2000
        inc frame
        jsr random
        jsr joypad
        lda started
        bne playing
        lda pad
        and #%00010000  ; start
        beq shown
        inc started
playing: lda over
        bne shown
        jsr hero
        jsr enemies
        jsr touch
        jsr far
        jsr camera
        jsr draw
shown:  rti
irq:    rti

random: lda seed
        lsr a
        bcc even
        eor #$b4
even:   sta seed
        rts

joypad: lda #1
        sta $4016
        lda #0
        sta $4016
        ldx #8
button: lda $4016
        lsr a
        rol pad
        dex
        bne button
        rts

hero:   lda pad
        and #1          ; right
        beq left
        lda wx
        cmp #240
        bcs left
        inc wx
        lda #0
        sta flip
left:   lda pad
        and #2
        beq down
        lda wx
        cmp #5
        bcc down
        dec wx
        lda #$40
        sta flip
down:   lda pad
        and #4
        beq up
        lda wy
        cmp #190
        bcs up
        adc #2          ; the carry is clear
        sta wy
up:     lda pad
        and #8
        beq stay
        lda wy
        cmp #34
        bcc stay
        sbc #2          ; the carry is set
        sta wy
stay:   rts

enemies: lda frame       ; half as fast as the hero
        and #1
        bne hunt
        rts
hunt:   ldx #5
enemy:  lda wx,x
        clc
        adc vx,x
        sta wx,x
        cmp #4
        bcc turnx
        cmp #240
        bcc keepx
turnx:  lda vx,x
        eor #$ff
        clc
        adc #1
        sta vx,x
        clc
        adc wx,x
        sta wx,x
keepx:  lda wy,x
        clc
        adc vy,x
        sta wy,x
        cmp #32
        bcc turny
        cmp #192
        bcc keepy
turny:  lda vy,x
        eor #$ff
        clc
        adc #1
        sta vy,x
        clc
        adc wy,x
        sta wy,x
keepy:  lda vx,x
        and #$80
        lsr a           ; $40 where it goes left
        sta flip,x
        dex
        cpx #1
        bne enemy
        rts

; Who touches the hero: an enemy ends the game, the gem scores and moves on.
touch:  ldx #5
other:  lda wx,x
        sec
        sbc wx
        bcs rightof
        eor #$ff
        adc #1          ; the carry is clear
rightof: cmp #6
        bcs apart
        lda wy,x
        sec
        sbc wy
        bcs below
        eor #$ff
        adc #1
below:  cmp #11
        bcs apart
        cpx #1
        beq gem
        lda #1
        sta over
apart:  dex
        bne other
        rts
gem:    inc score
        inc ones
        lda ones
        cmp #10
        bne moveon
        lda #0
        sta ones
        inc tens
        lda tens
        cmp #10
        bne moveon
        lda #0
        sta tens
moveon: lda seed
        cmp #8
        bcs notleft
        lda #8
notleft: cmp #232
        bcc notright
        lda #232
notright: sta wx+1
        lda seed
        asl a
        eor frame
        and #$7f
        clc
        adc #40
        sta wy+1
        rts

far:    lda wy+1
        sec
        sbc wy
        bcs lower
        eor #$ff
        adc #1
lower:  lsr a
        sta dist
        lda wx+1
        sec
        sbc wx
        bcs righter
        eor #$ff
        adc #1
righter: clc
        adc dist
        bcc near
        lda #255
near:   sta dist
        rts

camera: lda wx
        sec
        sbc #60
        bcs begun
        lda #0
begun:  cmp #129
        bcc within
        lda #128
within: sta cam
        rts

; The shadow OAM: two digits, then four hardware sprites for each actor.
draw:   lda #11
        sta oam
        sta oam+4
        lda tens
        clc
        adc #$30
        sta oam+1
        lda ones
        clc
        adc #$30
        sta oam+5
        lda #3
        sta oam+2
        sta oam+6
        lda #16
        sta oam+3
        lda #24
        sta oam+7
        ldy #8
        ldx #0
actor:  lda base,x
        sta tile
        cpx #2
        bcc still
        lda frame       ; enemies change their pose every 16 frames
        and #$10
        lsr a
        lsr a
        clc
        adc tile
        sta tile
still:  lda #0
        sta quarter
part:   lda quarter
        and #2
        asl a
        asl a           ; eight pixels down
        clc
        adc wy,x
        sec
        sbc #1          ; the screen shows sprites a row lower
        sta top
        lda quarter
        and #1
        asl a
        asl a           ; four units to the right
        clc
        adc wx,x
        sec
        sbc cam
        bcc hide
        cmp #128
        bcs hide
        asl a
        sta oam+3,y
        lda top
        jmp put
hide:   lda #$f8
put:    sta oam,y
        lda flip,x
        beq ahead
        lda #1          ; mirrored: the halves change places
ahead:  eor quarter
        clc
        adc tile
        sta oam+1,y
        lda flip,x
        ora paint,x
        sta oam+2,y
        iny
        iny
        iny
        iny
        inc quarter
        lda quarter
        cmp #4
        bne part
        inx
        cpx #6
        bne actor
        rts

base:   .byte 0, 4, 8, 8, 16, 16
paint:  .byte 0, 1, 2, 2, 3, 3
places: .byte 120, 180, 40, 210, 20, 230, 0, 0
        .byte 100, 60, 50, 120, 150, 180, 0, 0
        .byte 0, 0, 1, 255, 1, 255, 0, 0
        .byte 0, 0, 1, 1, 0, 0, 0, 0
palette: .byte $21, $1a, $29, $09, $21, $17, $27, $07, $21, $30, $10, $00, $21, $16, $28, $06
        .byte $21, $16, $27, $0f, $21, $30, $15, $0f, $21, $13, $38, $0f, $21, $2a, $36, $0f
names:                  ; what follows is put there by the builder
